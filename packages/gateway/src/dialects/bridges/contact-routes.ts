import { json, type Route, type RouteFacts, route } from '../../http/route.ts';
import * as answers from './contact-answers.ts';
import * as schemas from './contact-schemas.ts';
import { typingBody } from './message-schemas.ts';
import { bridge, OK, PROXY } from './row-parts.ts';
import { bridgeParams } from './schemas.ts';

const OF_BRIDGE = { auth: 'key', limit: 'proxy', params: bridgeParams } as const satisfies Partial<RouteFacts>;
const CONTACTS = { auth: 'key', limit: 'proxy', tag: 'Contacts' } as const satisfies Partial<RouteFacts>;
const PROFILE = { ...OF_BRIDGE, tag: 'Profile' } as const satisfies Partial<RouteFacts>;
const PRESENCE = { ...OF_BRIDGE, tag: 'Presence' } as const satisfies Partial<RouteFacts>;

const JPEG = { 200: { description: 'The picture.', contentTypes: ['image/jpeg'] } };
const ok = () => json(200, { ok: true });

/** People, the own profile, and presence. */
export const contactRoutes: Route[] = [
  route({
    ...CONTACTS,
    method: 'GET',
    path: `${PROXY}/contacts`,
    operation: 'bridgeContacts',
    summary: 'All contacts the bridge knows about',
    params: bridgeParams,
    answers: {
      200: {
        description: 'The contacts.',
        schema: schemas.contacts,
        example: [{ jid: '15550001234@s.whatsapp.net', phone: '15550001234', name: 'Alice', is_business: false }],
      },
    },
    command: 'contacts.all',
    in: bridge,
    out: ({ contacts }) => json(200, contacts.map(answers.contact)),
  }),
  route({
    ...CONTACTS,
    method: 'GET',
    path: `${PROXY}/contacts/:jid`,
    operation: 'bridgeContact',
    summary: 'One contact, by phone number or full JID',
    params: schemas.personParams,
    answers: {
      200: {
        description: 'The contact; an empty about is hidden or not set.',
        schema: schemas.contactDetail,
        example: {
          jid: '15550001234@s.whatsapp.net',
          phone: '15550001234',
          name: 'Alice',
          about: 'Hey!',
          is_business: false,
        },
      },
    },
    command: 'contacts.get',
    in: ({ params }) => ({ line: { bridge: params.bridge }, jid: params.jid }),
    out: (contact) => json(200, answers.contactDetail(contact)),
  }),
  route({
    ...CONTACTS,
    method: 'GET',
    path: `${PROXY}/contacts/:jid/avatar`,
    operation: 'bridgeContactAvatar',
    summary: 'The picture of a contact or group, as JPEG',
    params: schemas.personParams,
    answers: JPEG,
    command: 'contacts.picture',
    in: ({ params }) => ({ line: { bridge: params.bridge }, jid: params.jid }),
    out: answers.picture,
  }),
  route({
    ...PROFILE,
    method: 'GET',
    path: `${PROXY}/profile`,
    operation: 'bridgeProfile',
    summary: 'The bridge’s own profile',
    answers: {
      200: {
        description: 'The profile.',
        schema: schemas.profile,
        example: {
          jid: '15550001234@s.whatsapp.net',
          phone: '15550001234',
          name: 'My Name',
          about: 'Hey there!',
          lid: '402917364518203@lid',
        },
      },
    },
    command: 'profile.get',
    in: bridge,
    out: (profile) => json(200, answers.profile(profile)),
  }),
  route({
    ...PROFILE,
    method: 'PATCH',
    path: `${PROXY}/profile/status`,
    operation: 'bridgeSetAbout',
    summary: 'Set the About text',
    body: schemas.aboutBody,
    requestExample: { status: 'Hey there! I am using WA Bridges.' },
    answers: OK,
    command: 'profile.setAbout',
    in: ({ params, body }) => ({ line: { bridge: params.bridge }, text: body.status }),
    out: ok,
  }),
  route({
    ...PROFILE,
    method: 'GET',
    path: `${PROXY}/profile/avatar`,
    operation: 'bridgeAvatar',
    summary: 'The bridge’s own picture, as JPEG',
    answers: JPEG,
    command: 'profile.picture',
    in: bridge,
    out: answers.picture,
  }),
  route({
    ...PROFILE,
    method: 'PUT',
    path: `${PROXY}/profile/avatar`,
    operation: 'bridgeSetAvatar',
    summary: 'Set the own picture from a URL',
    body: schemas.avatarBody,
    requestExample: { url: 'https://example.com/me.jpg' },
    answers: {
      200: { description: 'The new picture.', schema: schemas.avatar, example: { picture_id: '12345678901' } },
    },
    command: 'profile.setPicture',
    in: ({ params, body }) => ({ line: { bridge: params.bridge }, url: body.url }),
    out: ({ id }) => json(200, { picture_id: id }),
  }),
  route({
    ...PROFILE,
    method: 'DELETE',
    path: `${PROXY}/profile/avatar`,
    operation: 'bridgeRemoveAvatar',
    summary: 'Remove the own picture',
    answers: OK,
    command: 'profile.removePicture',
    in: bridge,
    out: ok,
  }),
  route({
    ...PROFILE,
    method: 'GET',
    path: `${PROXY}/profile/qr`,
    operation: 'bridgeContactQr',
    summary: 'The link that starts a chat with this number',
    answers: {
      200: { description: 'The link.', schema: schemas.link, example: { link: 'https://wa.me/qr/ABCDEFGHIJKL' } },
    },
    command: 'profile.link',
    in: bridge,
    out: ({ link }) => json(200, { link }),
  }),
  route({
    ...PRESENCE,
    method: 'POST',
    path: `${PROXY}/send/typing`,
    operation: 'bridgeSendTyping',
    summary: 'Show that the bridge types or records, or stopped',
    body: typingBody,
    requestExample: { chat: '15550001234', state: 'composing', mode: 'text' },
    answers: OK,
    command: 'messages.typing',
    in: ({ params, body }) => ({ line: { bridge: params.bridge }, ...body }),
    out: ok,
  }),
  route({
    ...PRESENCE,
    method: 'POST',
    path: `${PROXY}/presence`,
    operation: 'bridgePresence',
    summary: 'Show the bridge online or not',
    description: 'Kept over reconnects. While it is available the phone gets no push notifications from WhatsApp.',
    body: schemas.presenceBody,
    requestExample: { state: 'available' },
    answers: OK,
    command: 'presence.set',
    in: ({ params, body }) => ({ line: { bridge: params.bridge }, state: body.state }),
    out: ok,
  }),
  route({
    ...PRESENCE,
    method: 'POST',
    path: `${PROXY}/presence/subscribe`,
    operation: 'bridgeSubscribePresence',
    summary: 'Subscribe to the typing state of a contact; renewed after every reconnect',
    description: 'WhatsApp tells it only to bridges that are available.',
    body: schemas.chatBody,
    requestExample: { chat: '15550001234' },
    answers: OK,
    command: 'presence.watch',
    in: ({ params, body }) => ({ line: { bridge: params.bridge }, chat: body.chat }),
    out: ok,
  }),
  route({
    ...OF_BRIDGE,
    tag: 'Privacy',
    method: 'GET',
    path: `${PROXY}/status/privacy`,
    operation: 'bridgeStatusPrivacy',
    summary: 'Who sees status updates; the list in force first',
    answers: {
      200: {
        description: 'The lists.',
        schema: schemas.statusPrivacy,
        example: [{ type: 'contacts', list: [], is_default: true }],
      },
    },
    command: 'status.audience',
    in: bridge,
    out: (lists) => json(200, answers.statusPrivacy(lists)),
  }),
];
