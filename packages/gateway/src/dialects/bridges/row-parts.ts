import * as schemas from './schemas.ts';

/** Where the operations of one bridge live. */
export const PROXY = '/:bridge/proxy';

/** The bridge of a path segment: a customer_ref or an integer id. */
export const bridge = ({ params }: { params: { bridge: string } }) => ({ line: { bridge: params.bridge } });

/** What a send answers. */
export const SENT = {
  200: {
    description: 'WhatsApp has it.',
    schema: schemas.sent,
    example: { message_id: 'ACE41E...', timestamp: 1777180605 },
  },
  202: {
    description:
      'queued: it waits for its turn or for the connection, and is sent without being asked again. pending: it left, and the line was lost before WhatsApp confirmed it; it is not sent again.',
    schema: schemas.queued,
    example: { message_id: 'ACE41E...', timestamp: 1777180605, status: 'queued' },
  },
};
export const OK = { 200: { description: 'Done.', schema: schemas.ok, example: { ok: true } } };
