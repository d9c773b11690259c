import { z } from 'zod';
import { chatSchema } from '../../http/address-schema.ts';
import {
  checkEvent,
  checkPoll,
  contactFields,
  eventFields,
  locationFields,
  pollFields,
} from '../../http/content-schema.ts';
import { text } from '../../http/route.ts';
import { emojiSchema, shownText } from '../../http/shown-schema.ts';
import { lineId, queueing, sendBody, sendContext } from './schemas.ts';

const messageId = text(1, 128, 'message_id');
/** What any send has. */
const sendFields = {
  line_id: lineId,
  to: chatSchema,
  ...sendContext,
  ...queueing,
  archive_policy: sendBody.shape.archive_policy,
};

export const reactBody = z.object({
  line_id: lineId,
  jid: chatSchema,
  message_id: messageId,
  emoji: emojiSchema,
});
export const editBody = z.object({
  line_id: lineId,
  jid: chatSchema,
  message_id: messageId,
  message: shownText(65_536, 'message'),
});
export const revokeBody = z.object({
  line_id: lineId,
  jid: chatSchema,
  message_id: messageId,
  sender: chatSchema
    .optional()
    .meta({ description: 'Whose message it is, when it is another’s in a group where this number is admin.' }),
});
export const locationBody = z.object({ ...sendFields, ...locationFields });
export const pollBody = z.object({ ...sendFields, ...pollFields }).superRefine(checkPoll);
export const eventBody = z.object({ ...sendFields, ...eventFields }).superRefine(checkEvent);
export const contactBody = z.object({ ...sendFields, ...contactFields });
export const typingBody = z.object({
  line_id: lineId,
  to: chatSchema,
  state: z.enum(['composing', 'paused'], 'Use composing or paused.'),
  mode: z.enum(['text', 'voice'], 'Use text or voice.').default('text'),
});
