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
import { messageContent } from '../../http/message-content.ts';
import { changesShape, mentionsShape, nuancesShape, readingShape } from '../../http/message-nuances.ts';
import { text } from '../../http/route.ts';
import { emojiSchema, shownText } from '../../http/shown-schema.ts';
import { sendContext, waitQuery } from './schemas.ts';

export const reactionBody = z.object({
  chat: chatSchema,
  message_id: text(1, 128, 'message_id'),
  emoji: emojiSchema,
});
export const editBody = z.object({ chat: chatSchema, body: shownText(65_536, 'body') });
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

export const oneMessage = z.object({
  message_id: z.string(),
  contact_id: z.string(),
  phone: z.string(),
  chat_id: z.string(),
  name: z.string(),
  body: z.string(),
  type: z.string(),
  media_type: z.string(),
  is_group: z.boolean(),
  from_me: z.boolean(),
  timestamp: z.int(),
  quoted_message_id: z.string(),
  mentions: mentionsShape,
  ...nuancesShape,
  ...changesShape,
  status: z.enum(['pending', 'sent', 'delivered', 'read', 'played', 'failed']),
  error: z.string().optional(),
  readers: z
    .object({
      contact_id: z.string(),
      phone: z.string(),
      name: z.string(),
      ...readingShape,
    })
    .array()
    .optional()
    .meta({ description: 'Own messages to groups: members known to have got it, for 35 days.' }),
  content: messageContent.nullable(),
});
