import { z } from 'zod';
import { chatSchema } from '../../http/address-schema.ts';
import { USERNAME } from '../../http/message-nuances.ts';
import { text } from '../../http/route.ts';
import { bridgeParams } from './schemas.ts';

export const personParams = bridgeParams.extend({ jid: chatSchema });
export const contact = z
  .object({
    jid: z.string(),
    phone: z.string(),
    name: z.string(),
    is_business: z.boolean(),
    username: z.string().optional().meta(USERNAME),
  })
  .meta({ id: 'BridgeContact' });
export const contacts = contact.array();
export const contactDetail = z
  .object({
    jid: z.string(),
    phone: z.string(),
    name: z.string(),
    about: z.string(),
    is_business: z.boolean(),
    username: z.string().optional().meta(USERNAME),
  })
  .meta({ id: 'BridgeContactDetail' });
export const profile = z
  .object({ jid: z.string(), phone: z.string(), name: z.string(), about: z.string(), lid: z.string() })
  .meta({ id: 'BridgeProfile' });
/** WhatsApp takes 139 characters. */
export const aboutBody = z.object({ status: text(0, 139, 'status') });
export const avatarBody = z.object({
  url: text(1, 2_048, 'url').meta({ description: 'A JPEG, PNG or WebP file; the middle square of it is used.' }),
});
export const avatar = z.object({ picture_id: z.string() }).meta({ id: 'BridgePicture' });
export const link = z.object({ link: z.string() }).meta({ id: 'BridgeLink' });
export const presenceBody = z.object({
  state: z.enum(['available', 'unavailable'], 'Use available or unavailable.'),
});
export const chatBody = z.object({ chat: chatSchema });
export const statusPrivacy = z.array(
  z.object({
    type: z.enum(['contacts', 'whitelist', 'blacklist']),
    list: z.array(z.string()),
    is_default: z.boolean(),
  }),
);
