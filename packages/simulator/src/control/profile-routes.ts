import type { Node } from '@ponte/engine';
import { InputError } from '../phone/content/input.ts';
import { isBase64 } from '../phone/content/media.ts';
import { fixtureOf } from '../phone/media/media-fixtures.ts';
import { contactOf, onlinePhoneOf } from './addresses.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const SERVER = '@s.whatsapp.net';
const ABOUT_MAX_CHARS = 139;
const AUDIENCE_MAX = 1000;
const PICTURE_MAX_CHARS = 1_400_000;
const AUDIENCES = ['contacts', 'whitelist', 'blacklist'] as const;
/** Field of the sandbox API → category on the wire. */
const CATEGORIES = {
  last_seen: 'last',
  online: 'online',
  avatar: 'profile',
  about: 'status',
  read_receipts: 'readreceipts',
  groups: 'groupadd',
  calls: 'calladd',
  messages: 'messages',
} as const;

/**
 * What a phone shows of its owner, and to whom. The phone asks the server, as its owner's phone
 * would.
 */
export const PROFILE_ROUTES: readonly Route[] = [
  ['PUT', '/phones/{phone}/avatar', setAvatar],
  ['DELETE', '/phones/{phone}/avatar', removeAvatar],
  ['PUT', '/phones/{phone}/about', setAbout],
  ['PUT', '/phones/{phone}/privacy', setPrivacy],
];

async function setAvatar(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const phone = await onlinePhoneOf(call);
  const given = body.has('data') ? body.text('data', PICTURE_MAX_CHARS) : undefined;
  if (given !== undefined && !isBase64(given)) throw new InputError('data', 'must be base64');
  const jpeg =
    given === undefined
      ? fixtureOf('image', body.optionalText('fixture') ?? 'image').bytes
      : Buffer.from(given, 'base64');
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw new InputError('data', 'must be a JPEG');
  const answer = await phone.query(
    query('w:profile:picture', [{ tag: 'picture', attrs: { type: 'image' }, content: jpeg }]),
  );
  const [picture] = Array.isArray(answer.content) ? answer.content : [];
  return { status: 200, body: { picture_id: picture?.attrs.id } };
}

async function removeAvatar(call: ControlCall): Promise<ControlAnswer> {
  const phone = await onlinePhoneOf(call);
  await phone.query(query('w:profile:picture', []));
  return { status: 204, body: undefined };
}

async function setAbout(call: ControlCall): Promise<ControlAnswer> {
  const about = call.body.optionalText('about', ABOUT_MAX_CHARS);
  if (about === undefined) throw new InputError('about', 'is required; an empty text removes it');
  const phone = await onlinePhoneOf(call);
  await phone.query(query('status', [{ tag: 'status', attrs: {}, content: Buffer.from(about) }]));
  return { status: 200, body: { about } };
}

/**
 * `{"avatar":"contacts","last_seen":"none",…,"status_audience"?:…}`, where the audience is
 * `{"type":"whitelist","phones":["1555…"]}`;
 * fields that are absent stay.
 */
async function setPrivacy(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const phone = await onlinePhoneOf(call);
  const categories = Object.entries(CATEGORIES).flatMap(([field, name]): Node[] =>
    body.has(field) ? [{ tag: 'category', attrs: { name, value: body.text(field, 30) } }] : [],
  );
  const audience = body.has('status_audience') ? body.nested('status_audience') : undefined;
  if (categories.length === 0 && !audience) {
    throw new InputError(
      'body',
      `must have at least one of ${[...Object.keys(CATEGORIES), 'status_audience'].join(', ')}`,
    );
  }
  if (categories.length > 0) await phone.query(query('privacy', [{ tag: 'privacy', attrs: {}, content: categories }]));
  if (audience) {
    const users = audience.optionalTexts('phones', AUDIENCE_MAX).map((person): Node => {
      return { tag: 'user', attrs: { jid: contactOf(person, 'status_audience.phones') } };
    });
    const list = { tag: 'list', attrs: { type: audience.choice('type', AUDIENCES) }, content: users };
    await phone.query(query('status', [{ tag: 'privacy', attrs: {}, content: [list] }]));
  }
  return { status: 200, body: { ok: true } };
}

function query(xmlns: string, content: Node[]): Node {
  return { tag: 'iq', attrs: { to: SERVER, type: 'set', xmlns }, content };
}
