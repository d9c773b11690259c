import { stayAwake, systemClock } from '../core/clock.ts';
import { PAIRING_REFUSALS, PAIRING_STEPS } from '../core/pairing-help.ts';
import { CommandFailed, type Output, print } from './output.ts';
import { ofLine, type ServerApi, type ServerOptions, withServer } from './server-api.ts';

export interface PairOptions extends ServerOptions {
  /** Pair by a code for this number instead of a QR. */
  code?: string;
  json?: boolean;
}

interface LineFacts {
  line_id: string;
  status: string;
  phone: string | null;
  name: string | null;
  status_reason?: string | null;
  status_remedy?: string | null;
}

/**
 * A QR ends after a minute or so; WhatsApp gives a handful of them before it wants a new beginning.
 */
const GIVE_UP_AFTER_MS = 5 * 60_000;
const LOOK_EVERY_MS = 1_000;

const steps = (way: keyof typeof PAIRING_STEPS): string =>
  PAIRING_STEPS[way].map((step, index) => `${index + 1}. ${step}`).join('\n');

const refusals = (): string =>
  [
    'If the phone says something else:',
    ...PAIRING_REFUSALS.map(({ sees, means, remedy }) => `- ${sees}\n  ${means} ${remedy}`),
  ].join('\n');

/**
 * Shows the QR in the terminal, each new one as it comes, or a code; ends when the line is
 * connected.
 */
export async function pairLine(lineId: string, options: PairOptions, out: Output): Promise<void> {
  await withServer(options, ofLine(lineId), async (api) => {
    const path = `/lines/${encodeURIComponent(lineId)}`;
    if (options.code !== undefined) {
      const { code } = await api.call<{ code: string }>('POST', `${path}/pair`, { phone: options.code });
      out.say(`${steps('code')}\n\nThe code: ${code}\n\n${refusals()}`);
    }
    const line = await untilConnected(api, path, options, out);
    print(out, options.json, line, () => `${lineId} is connected as ${line.phone ?? ''} ${line.name ?? ''}`.trimEnd());
  });
}

async function untilConnected(api: ServerApi, path: string, options: PairOptions, out: Output): Promise<LineFacts> {
  const until = systemClock.monotonic() + GIVE_UP_AFTER_MS;
  let shown = '';
  let isFirst = true;
  let last: string | null | undefined = null;
  while (systemClock.monotonic() < until) {
    const line = await api.call<LineFacts>('GET', path);
    if (line.status === 'connected') return line;
    // A pairing that ended says why, once; what follows is a new one.
    if (line.status_reason && line.status_reason !== last) {
      out.say(`${line.status_reason}: ${line.status_remedy ?? ''}`);
    }
    last = line.status_reason;
    const isScanned = line.status === 'connecting' || line.phone !== null;
    if (options.code === undefined && !isScanned) {
      const qr = await nextQr(api, path);
      if (qr !== undefined && qr !== shown) {
        shown = qr;
        out.say(isFirst ? `${qr}\n${steps('qr')}\n\n${refusals()}` : qr);
        isFirst = false;
      }
    }
    await stayAwake(LOOK_EVERY_MS);
  }
  throw new CommandFailed('the line was not paired within five minutes; run the command again');
}

/** Undefined when the line was scanned between two looks. */
async function nextQr(api: ServerApi, path: string): Promise<string | undefined> {
  try {
    return await api.call<string>('GET', `${path}/qr?format=text`);
  } catch (error) {
    const { status, phone } = await api.call<LineFacts>('GET', path);
    if (status === 'connected' || phone !== null) return undefined;
    throw error;
  }
}
