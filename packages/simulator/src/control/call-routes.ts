import { CALL_ENDINGS, type Call } from '../phone/calls.ts';
import { contactField, onlinePhoneOf } from './addresses.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

/** Calls of a phone: ringing and its end. */
export const CALL_ROUTES: readonly Route[] = [
  ['POST', '/phones/{phone}/calls', place],
  ['GET', '/phones/{phone}/calls', list],
  ['POST', '/phones/{phone}/calls/{call}/accept', accept],
  ['DELETE', '/phones/{phone}/calls/{call}', end],
];

async function place(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const to = contactField(body, 'to');
  const isVideo = body.flag('video');
  const platform = body.optionalText('platform', 30);
  const phone = await onlinePhoneOf(call);
  return { status: 201, body: callItem(phone.calls.place(to, isVideo, platform)) };
}

async function list(call: ControlCall): Promise<ControlAnswer> {
  const phone = await onlinePhoneOf(call);
  return { status: 200, body: phone.calls.list().map(callItem) };
}

async function accept(call: ControlCall): Promise<ControlAnswer> {
  const phone = await onlinePhoneOf(call);
  return { status: 200, body: callItem(phone.calls.accept(call.params.call ?? '')) };
}

async function end(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const ending = body.has('reason') ? body.choice('reason', CALL_ENDINGS) : 'hangup';
  const phone = await onlinePhoneOf(call);
  return { status: 200, body: callItem(phone.calls.end(call.params.call ?? '', ending)) };
}

function callItem(call: Call): Record<string, unknown> {
  return {
    call_id: call.callId,
    with: call.with,
    incoming: call.isIncoming,
    video: call.isVideo,
    state: call.state,
    ...(call.reason === undefined ? {} : { reason: call.reason }),
  };
}
