import { api } from '../../api.ts';
import { queries } from '../../queries/client.ts';
import type { InboxItem, Line, Phone, PhoneCall } from '../../shapes.ts';

const PATH = '/sandbox/phones';
/** North American numbers with 555 are not assigned to real people. */
const PREFIX = '1555';
const NAMES = ['Alice', 'Bruno', 'Carla', 'Diego', 'Elena', 'Fabio', 'Greta', 'Hugo', 'Irene', 'João'];

export const listPhones = () => api<Phone[]>('GET', PATH);

/** A phone with a number that none has yet. */
export async function createPhone(known: readonly Phone[], name?: string): Promise<Phone> {
  const taken = new Set(known.map(({ phone }) => phone));
  let number = '';
  do {
    number =
      PREFIX +
      String(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0)
        .padStart(7, '0')
        .slice(-7);
  } while (taken.has(number));
  const names = new Set(known.map((phone) => phone.name));
  const made = await api<Phone>('POST', PATH, {
    phone: number,
    name: name ?? NAMES.find((one) => !names.has(one)) ?? `Phone ${known.length + 1}`,
  });
  await queries.invalidateQueries({ queryKey: ['phones'] });
  return made;
}

/**
 * Links the line to a phone of its own, as its owner would by scanning. Answers once the line is
 * connected.
 */
export async function scanWithVirtualPhone(line: Line): Promise<void> {
  const owner = await createPhone(await listPhones(), `${line.label ?? 'Ponte'} (owner)`.slice(0, 60));
  await api('POST', `${PATH}/${owner.phone}/scan`, { line_id: line.line_id });
  await queries.invalidateQueries({ queryKey: ['line', line.line_id] });
}

const digits = (phone: string) => phone.replace(/\D/g, '');

/** What a phone sees of its chat with a line: both sides, oldest first. */
export const readChat = (phone: string, linePhone: string) =>
  api<InboxItem[]>('GET', `${PATH}/${phone}/inbox?sent=true&chat=${digits(linePhone)}`);

export const writeAs = (phone: string, linePhone: string, message: Record<string, unknown>) =>
  api('POST', `${PATH}/${phone}/messages`, { to: digits(linePhone), ...message });

/**
 * What a phone does to a message that is there: `reactions`, `edits`, `revokes`, `votes`, `rsvps`.
 */
export const changeAs = (phone: string, linePhone: string, what: string, change: Record<string, unknown>) =>
  api('POST', `${PATH}/${phone}/${what}`, { to: digits(linePhone), ...change });

export const typeAs = (phone: string, linePhone: string, state: 'composing' | 'paused') =>
  api('POST', `${PATH}/${phone}/typing`, { to: digits(linePhone), state });

export const listCalls = (phone: string) => api<PhoneCall[]>('GET', `${PATH}/${phone}/calls`);

export const placeCall = (phone: string, linePhone: string, video: boolean) =>
  api<PhoneCall>('POST', `${PATH}/${phone}/calls`, { to: digits(linePhone), video });

export const hangUp = (phone: string, callId: string) =>
  api('DELETE', `${PATH}/${phone}/calls/${encodeURIComponent(callId)}`);

export const changeSettings = (phone: string, settings: Partial<Phone['settings']>) =>
  api('PUT', `${PATH}/${phone}/settings`, settings);

export const injectFault = (lineId: string, fault: Record<string, unknown>) =>
  api('POST', `/sandbox/lines/${lineId}/faults`, fault);

/** Faults worth a click, by name; what they do is in the words. */
export const FAULTS = {
  cut: { kind: 'cut' },
  refuse: { kind: 'refuse', for_ms: 10_000 },
  black_hole: { kind: 'black_hole', for_ms: 20_000 },
  stream_error: { kind: 'stream_error', code: 503 },
  replaced: { kind: 'replaced' },
  slow_acks: { kind: 'slow_acks', ms: 3_000, for_ms: 60_000 },
  lose_acks: { kind: 'lose_acks', count: 2 },
  duplicate: { kind: 'duplicate', count: 3 },
  reorder: { kind: 'reorder', count: 3 },
  bad_mac: { kind: 'bad_mac', count: 1 },
  media_fail: { kind: 'media_fail', status: 503, count: 2 },
  reject_sends: { kind: 'reject_sends', code: 463, count: 1 },
  logged_out: { kind: 'logged_out' },
} as const;
export type FaultName = keyof typeof FAULTS;
