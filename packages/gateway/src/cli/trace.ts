import { stayAwake } from '../core/clock.ts';
import { TRACE_MINUTES_MAX } from '../core/line-commands.ts';
import { type Output, print, UsageError } from './output.ts';
import { ofLine, type ServerApi, type ServerOptions, withServer } from './server-api.ts';

export interface TraceOptions extends ServerOptions {
  minutes: string;
  stop?: boolean;
  /** One JSON document a stanza. */
  json?: boolean;
}

interface Page {
  tracing: boolean;
  ends_at: string | null;
  cursor: number;
  lost: number;
  stanzas: { number: number; time: string; direction: 'in' | 'out' | 'note'; stanza: string }[];
}

const LOOK_EVERY_MS = 1_000;
const MINUTE_MS = 60_000;

/** Prints a line's stanzas as they come; until the signal, or until the time is over. */
export async function traceLine(
  lineId: string,
  options: TraceOptions,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  const minutes = /^\d{1,3}$/.test(options.minutes) ? Number(options.minutes) : Number.NaN;
  if (!(minutes >= 1 && minutes <= TRACE_MINUTES_MAX)) {
    throw new UsageError(`--minutes is "${options.minutes}", but it takes a number from 1 to ${TRACE_MINUTES_MAX}`);
  }
  const path = `/lines/${encodeURIComponent(lineId)}/trace`;
  const work = async (api: ServerApi) => {
    if (options.stop) {
      const page = await api.call<Page>('DELETE', path);
      return print(out, options.json, { tracing: page.tracing }, () => `${lineId} is not traced any more`);
    }
    const begun = await api.call<Page>('POST', path, { minutes });
    out.say(`tracing ${lineId} until ${begun.ends_at}; Ctrl-C ends it`);
    try {
      await follow(api, path, begun.cursor, options, out, signal);
    } finally {
      // Also when reading failed: the trace would end by itself, but without a reason shown.
      await api.call('DELETE', path).catch(() => out.say(`it could not be ended; it ends by itself`));
    }
  };
  await withServer(options, ofLine(lineId), work, (minutes + 5) * MINUTE_MS);
}

async function follow(
  api: ServerApi,
  path: string,
  from: number,
  options: TraceOptions,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  let cursor = from;
  for (;;) {
    const isLast = signal.aborted;
    const page = await api.call<Page>('GET', `${path}?after=${cursor}`);
    if (page.lost > 0) out.say(`${page.lost} stanzas came too fast to be kept`);
    for (const one of page.stanzas) print(out, options.json, one, () => `${one.time} ${one.direction} ${one.stanza}`);
    cursor = page.cursor;
    if (page.stanzas.length > 0 && !isLast) continue;
    if (isLast || !page.tracing) return;
    await stayAwake(LOOK_EVERY_MS);
  }
}
