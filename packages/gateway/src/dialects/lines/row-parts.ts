import * as schemas from './schemas.ts';

const SENT_EXAMPLE = {
  ok: true,
  message_id: '3EB0A1B2C3D4E5F6071829',
  line_id: 'line_xxx',
  to: '+34600000000',
  chat_id: '34600000000@s.whatsapp.net',
  status: 'sent',
  timestamp: 1777180605,
};

/** What a send answers. */
export const SENT = {
  200: { description: 'WhatsApp has it.', schema: schemas.sent, example: SENT_EXAMPLE },
  202: {
    description:
      'queued: it waits for its turn or for the connection, and is sent without being asked again. pending: it left, and the line was lost before WhatsApp confirmed it; it is not sent again.',
    schema: schemas.sent,
    example: { ...SENT_EXAMPLE, status: 'queued' },
  },
};
