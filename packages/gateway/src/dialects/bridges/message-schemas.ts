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
import { sendContext, waitQuery } from './schemas.ts';

export const reactionBody = z.object({
  chat: chatSchema,
  message_id: text(1, 128, 'message_id'),
  emoji: text(0, 64, 'emoji').meta({ description: 'Empty takes the reaction back.' }),
});
export const editBody = z.object({ chat: chatSchema, body: text(1, 65_536, 'body') });
export const revokeQuery = waitQuery.extend({
  chat: chatSchema,
  sender: chatSchema
    .optional()
    .meta({ description: 'Whose message it is, when it is another’s in a group where this number is admin.' }),
});
export const locationBody = z.object({ chat: chatSchema, ...locationFields, ...sendContext });
export const pollBody = z.object({ chat: chatSchema, ...pollFields, ...sendContext }).superRefine(checkPoll);
export const eventBody = z.object({ chat: chatSchema, ...eventFields, ...sendContext }).superRefine(checkEvent);
export const contactBody = z.object({ chat: chatSchema, ...contactFields, ...sendContext });
export const typingBody = z.object({
  chat: chatSchema,
  state: z.enum(['composing', 'paused'], 'Use composing or paused.'),
  mode: z.enum(['text', 'voice'], 'Use text or voice.').default('text'),
});
