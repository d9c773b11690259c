import { formatJid, parsePhone, SERVER_LID, SERVER_PN } from '@ponte/engine';
import { InputError } from '../phone/content/input.ts';
import { parseLinkCode } from '../phone/link-code.ts';
import { LinkError, type LinkOffer, type PhoneSettings } from '../phone/network.ts';
import type { Phone } from '../phone/phone.ts';
import { onlinePhoneOf, phoneParam, profileOf } from './addresses.ts';
import { ControlError } from './control-error.ts';
import type { PhoneProfile } from './control-world.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const MAX_NAME_CHARS = 100;
const MAX_ABOUT_CHARS = 139;
const MAX_USERNAME_KEY = 8;
const AUTO_RECEIPTS = ['none', 'delivered', 'read'] as const;

/** Phones: existence, linking, settings. */
export const PHONE_ROUTES: readonly Route[] = [
  ['POST', '/phones', createPhone],
  ['GET', '/phones', listPhones],
  ['GET', '/phones/{phone}', (call) => ({ status: 200, body: describe(profileOf(call)) })],
  ['DELETE', '/phones/{phone}', deletePhone],
  ['POST', '/phones/{phone}/scan', scan],
  ['POST', '/phones/{phone}/enter-code', enterCode],
  ['POST', '/phones/{phone}/unlink', unlink],
  ['PUT', '/phones/{phone}/settings', changeSettings],
  ['POST', '/reset', reset],
];

async function createPhone(call: ControlCall): Promise<ControlAnswer> {
  const { body, world, tenant } = call;
  const phone = parsePhone(body.text('phone', 30));
  if (phone === undefined) throw new InputError('phone', 'must be a phone number with country code, like 15550001111');
  const name = body.text('name', MAX_NAME_CHARS);
  const about = body.optionalText('about', MAX_ABOUT_CHARS);
  const isBusiness = body.flag('business');
  const username = body.optionalText('username', MAX_NAME_CHARS);
  const usernameKey = body.optionalText('username_key', MAX_USERNAME_KEY);
  const isLidOnly = body.flag('lid_only');
  await world.createPhone(tenant, { phone, name, about, isBusiness, isLidOnly, username, usernameKey });
  return { status: 201, body: describe(profileOf({ ...call, params: { phone } })) };
}

function listPhones(call: ControlCall): ControlAnswer {
  return { status: 200, body: call.world.phones(call.tenant).map(describe) };
}

async function deletePhone(call: ControlCall): Promise<ControlAnswer> {
  await call.world.deletePhone(call.tenant, phoneParam(call));
  return { status: 204, body: undefined };
}

async function scan(call: ControlCall): Promise<ControlAnswer> {
  const qr = call.body.text('qr', 2000);
  const phone = await onlinePhoneOf(call);
  const { deviceJid } = await call.world.pair(call.tenant, phoneParam(call), offerOf(phone, qr));
  return { status: 200, body: { device_jid: deviceJid } };
}

function offerOf(phone: Phone, qr: string): LinkOffer {
  try {
    return phone.linkDevice(qr);
  } catch (error) {
    // Here the text itself is wrong; later the same error means that the code is not shown any
    // more.
    if (!(error instanceof LinkError)) throw error;
    throw new ControlError('validation_error', error.message, { cause: error });
  }
}

async function enterCode(call: ControlCall): Promise<ControlAnswer> {
  const code = parseLinkCode(call.body.text('code', 20));
  if (code === undefined) throw new InputError('code', 'must be the eight characters the line shows, like ABCD-EFGH');
  await onlinePhoneOf(call);
  const { deviceJid } = await call.world.enterCode(call.tenant, phoneParam(call), code);
  return { status: 200, body: { device_jid: deviceJid } };
}

async function unlink(call: ControlCall): Promise<ControlAnswer> {
  const phone = phoneParam(call);
  const lineId = call.body.text('line_id', 128);
  const device = call.world.lineDevice(call.tenant, lineId);
  if (device?.phone !== phone) {
    throw new ControlError('not_linked', `line ${lineId} is not linked to phone ${phone}; scan its QR code first`);
  }
  await call.world.unlink(call.tenant, phone, device.deviceJid);
  return { status: 200, body: { device_jid: device.deviceJid } };
}

async function changeSettings(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const changes: Partial<PhoneSettings> = {};
  if (body.has('auto_receipts')) changes.autoReceipts = body.choice('auto_receipts', AUTO_RECEIPTS);
  if (body.has('online')) changes.online = body.flag('online');
  if (body.has('addressing')) changes.addressing = body.choice('addressing', ['lid', 'pn'] as const);
  if (body.has('reply_echo')) changes.replyEcho = body.flag('reply_echo');
  if (Object.keys(changes).length === 0) {
    throw new InputError('body', 'must have at least one of auto_receipts, online, addressing, reply_echo');
  }
  const settings = await call.world.updateSettings(call.tenant, phoneParam(call), changes);
  return { status: 200, body: settingsView(settings) };
}

async function reset(call: ControlCall): Promise<ControlAnswer> {
  await call.world.reset(call.tenant);
  return { status: 204, body: undefined };
}

/** What the network knows of a phone; the phone itself is not started for it. */
function describe(profile: PhoneProfile): Record<string, unknown> {
  return {
    phone: profile.phone,
    jid: formatJid(profile.phone, SERVER_PN),
    lid: formatJid(profile.lid, SERVER_LID),
    name: profile.name,
    about: profile.about,
    business: profile.isBusiness,
    lid_only: profile.isLidOnly,
    settings: settingsView(profile.settings),
  };
}

function settingsView(settings: PhoneSettings): Record<string, unknown> {
  const { autoReceipts, online, addressing, replyEcho } = settings;
  return { auto_receipts: autoReceipts, online, addressing, reply_echo: replyEcho };
}
