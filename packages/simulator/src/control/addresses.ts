import { isGroup, isLid, isPn, type Jid, parseChat, parsePhone } from '@ponte/engine';
import { type Input, InputError } from '../phone/content/input.ts';
import type { Phone } from '../phone/phone.ts';
import { ControlError } from './control-error.ts';
import type { PhoneProfile } from './control-world.ts';
import type { ControlCall } from './route.ts';

/**
 * What the network knows of the phone a path names. Throws phone_not_found, so that a wrong number
 * reads the same as an unknown one.
 */
export function profileOf(call: ControlCall): PhoneProfile {
  const given = call.params.phone ?? '';
  const digits = parsePhone(given);
  const profile = digits === undefined ? undefined : call.world.profile(call.tenant, digits);
  if (profile) return profile;
  throw new ControlError('phone_not_found', `there is no phone ${given} in this sandbox; create it with POST /phones`);
}

/** Digits of the phone a path names. Throws as profileOf. */
export function phoneParam(call: ControlCall): string {
  return profileOf(call).phone;
}

/** The running phone a path names. */
export async function phoneOf(call: ControlCall): Promise<Phone> {
  const digits = phoneParam(call);
  const phone = await call.world.phone(call.tenant, digits);
  if (!phone) throw new ControlError('phone_not_found', `there is no phone ${digits} in this sandbox`);
  return phone;
}

/** The running phone a path names, if it is switched on: it cannot do anything otherwise. */
export async function onlinePhoneOf(call: ControlCall): Promise<Phone> {
  const phone = await phoneOf(call);
  if (!call.world.profile(call.tenant, phoneParam(call))?.settings.online) {
    throw new ControlError('phone_offline', 'this phone is offline; PUT its settings {"online":true} first');
  }
  return phone;
}

/** The running phone that a field of the body names. */
export async function phoneNamed(call: ControlCall, field: string): Promise<Phone> {
  const given = call.body.text(field, 30);
  const digits = parsePhone(given);
  const phone = digits === undefined ? undefined : await call.world.phone(call.tenant, digits);
  if (phone) return phone;
  throw new ControlError('phone_not_found', `${field}: there is no phone ${given} in this sandbox; POST /phones first`);
}

/** A person as callers name one: a phone number or a JID. */
export function contactField(body: Input, name: string): Jid {
  return contactOf(body.text(name, 100), name);
}

/** A chat as callers name one: a person or a group. */
export function chatField(body: Input, name: string): Jid {
  return chatOf(body.text(name, 100), name);
}

/** The chat that a text names; `field` is where it stood. */
export function chatOf(given: string, field: string): Jid {
  const jid = parseChat(given);
  if (jid !== undefined && (isPn(jid) || isLid(jid) || isGroup(jid))) return jid;
  throw new InputError(field, 'must be a phone number with country code, or a JID of a person or group');
}

/** The person that a text names; `field` is where it stood. */
export function contactOf(given: string, field: string): Jid {
  const jid = parseChat(given);
  if (jid !== undefined && (isPn(jid) || isLid(jid))) return jid;
  throw new InputError(field, 'must be a phone number with country code, or a JID of a person');
}
