import { z } from 'zod';
import { askedNumbers, chatSchema } from '../../http/address-schema.ts';
import { USERNAME } from '../../http/message-nuances.ts';
import { text } from '../../http/route.ts';
import { done, lineId } from './schemas.ts';

export const lineQuery = z.object({ line_id: lineId });
export const listQuery = lineQuery.extend({
  limit: z.coerce
    .number('limit is a whole number from 1 to 500.')
    .int('limit is a whole number from 1 to 500.')
    .min(1, 'limit is a whole number from 1 to 500.')
    .max(500, 'limit is a whole number from 1 to 500.')
    .default(500),
  cursor: text(1, 128, 'cursor').optional().meta({ description: 'next_cursor of the page before.' }),
});
export const personParams = z.object({ jid: chatSchema });

const contactShape = {
  jid: z.string(),
  phone: z.string().nullable(),
  name: z.string(),
  is_business: z.boolean(),
  username: z.string().optional().meta(USERNAME),
};
export const contacts = done.extend({
  contacts: z.array(z.object(contactShape)),
  next_cursor: z.string().nullable(),
});
export const contact = done.extend({ ...contactShape, about: z.string().nullable() });

export const checkBody = z.object({ line_id: lineId, phones: askedNumbers });
export const checked = done.extend({
  line_id: z.string(),
  numbers: z.array(
    z.object({
      phone: z.string().meta({ description: 'As asked.' }),
      registered: z.boolean(),
      is_business: z.boolean().nullable(),
      jid: z.string().nullable().meta({ description: 'The address WhatsApp has the number under.' }),
      username: z.string().optional().meta(USERNAME),
    }),
  ),
});

export const profile = done.extend({
  line_id: z.string(),
  jid: z.string().nullable(),
  phone: z.string().nullable(),
  name: z.string().nullable(),
  about: z.string().nullable(),
  lid: z.string().nullable(),
});
export const ofLine = done.extend({ line_id: z.string() });
export const aboutBody = z.object({ line_id: lineId, status: text(0, 139, 'status') });
export const avatarBody = z.object({
  line_id: lineId,
  url: text(1, 2_048, 'url').meta({ description: 'A JPEG, PNG or WebP file; the middle square of it is used.' }),
});
export const avatar = ofLine.extend({ picture_id: z.string() });
export const link = ofLine.extend({ link: z.string() });
export const presenceBody = z.object({
  line_id: lineId,
  state: z.enum(['available', 'unavailable'], 'Use available or unavailable.'),
});
export const subscribeBody = z.object({ line_id: lineId, jid: chatSchema });
export const statusPrivacy = ofLine.extend({
  privacy: z.array(
    z.object({
      type: z.enum(['contacts', 'whitelist', 'blacklist']),
      list: z.array(z.string()),
      is_default: z.boolean(),
    }),
  ),
});
