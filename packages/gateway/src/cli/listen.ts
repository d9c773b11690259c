import { request } from 'undici';
import { stayAwake, systemClock } from '../core/clock.ts';
import { openInstallation } from '../installation.ts';
import { type FollowedEvent, followEvents } from './follow-events.ts';
import { type Output, UsageError } from './output.ts';

export interface ListenGiven {
  forward?: string;
  url?: string;
  key?: string;
  mode: string;
  events?: string;
  line?: string;
  after: string;
  json?: boolean;
}

const FORWARD_WITHIN_MS = 15_000;
/**
 * Waits before a local program that does not answer is asked again; then the next event has its
 * turn.
 */
const FORWARD_AGAIN_MS = [500, 1_000, 2_000];
const KEY_LIVES_MS = 24 * 60 * 60 * 1_000;

interface Source {
  base: string;
  key: string;
  done(): Promise<void>;
}

/**
 * The named server, or the one of this data directory with a key of its own that is revoked at the
 * end (and is over after a day whatever happens).
 */
async function sourceOf({ url, key, mode }: ListenGiven): Promise<Source> {
  if (url !== undefined || key !== undefined) {
    if (url === undefined || key === undefined) throw new UsageError('--url and --key go together');
    if (!URL.canParse(url)) throw new UsageError(`--url is "${url}", but it takes http://host:port`);
    return { base: url.replace(/\/+$/, ''), key, done: async () => {} };
  }
  if (mode !== 'test' && mode !== 'live') throw new UsageError(`--mode is "${mode}", but it takes test or live`);
  const at = await openInstallation();
  try {
    const { host, port } = at.config.http;
    const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
    const expiresAt = systemClock.now() + KEY_LIVES_MS;
    const scopes = ['events:read'];
    const made = await at.keys.create({
      accountId: at.defaultAccountId,
      mode,
      name: 'ponte listen',
      scopes,
      expiresAt,
    });
    return {
      base: `http://${name}:${port}`,
      key: made.key,
      async done() {
        await at.keys.revoke(made.id);
        await at.close();
      },
    };
  } catch (error) {
    await at.close();
    throw error;
  }
}

/**
 * Prints events as they happen and, with `--forward`, posts each to a local program, one after the
 * other: the body of a webhook, not signed (`--forward` has no secret). A program that does not
 * listen is retried for some seconds; any other answer is printed and final.
 */
export async function listen(given: ListenGiven, out: Output, signal: AbortSignal): Promise<void> {
  if (given.forward !== undefined && !URL.canParse(given.forward)) {
    throw new UsageError(`--forward is "${given.forward}", but it takes a URL such as http://127.0.0.1:3000/hook`);
  }
  const source = await sourceOf(given);
  try {
    out.say(
      `listening to ${source.base}${given.forward === undefined ? '' : ` for ${given.forward}`} … Ctrl-C ends it`,
    );
    const events = followEvents({
      ...source,
      after: given.after,
      events: given.events,
      lineId: given.line,
      signal,
      onTrouble: (reason) => out.say(`lost the server (${reason}); trying again`),
    });
    for await (const event of events) {
      const answered = given.forward === undefined ? undefined : await forward(given.forward, event, signal);
      out.result(given.json ? jsonLine(event, answered) : line(event, answered));
    }
  } finally {
    await source.done();
  }
}

interface Forwarded {
  status: number | null;
  error: string | null;
  ms: number;
}

async function forward(url: string, event: FollowedEvent, signal: AbortSignal): Promise<Forwarded> {
  const from = systemClock.monotonic();
  const { id } = JSON.parse(event.body) as { id: string };
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'ponte-listen',
          'webhook-id': id,
          'x-wazion-bridge-event': event.name,
        },
        body: event.body,
        headersTimeout: FORWARD_WITHIN_MS,
        bodyTimeout: FORWARD_WITHIN_MS,
        signal,
      });
      await answer.body.dump();
      return { status: answer.statusCode, error: null, ms: Math.round(systemClock.monotonic() - from) };
    } catch (error) {
      const waitMs = FORWARD_AGAIN_MS[tries];
      if (waitMs === undefined || signal.aborted) {
        const reason = error instanceof Error ? error.message : String(error);
        return { status: null, error: reason, ms: Math.round(systemClock.monotonic() - from) };
      }
      await stayAwake(waitMs);
    }
  }
}

const jsonLine = ({ cursor, body }: FollowedEvent, answered: Forwarded | undefined): string =>
  `{"cursor":"${cursor}","event":${body}${answered ? `,"forwarded":${JSON.stringify(answered)}` : ''}}`;

function line({ cursor, name, body }: FollowedEvent, answered: Forwarded | undefined): string {
  const { id, line_id: lineId, created_at: at } = JSON.parse(body) as Record<string, string | null>;
  const facts = `${at}  ${name}  ${lineId ?? '-'}  ${id}  cursor ${cursor}`;
  if (!answered) return `${facts}\n  ${body}`;
  return `${facts}  → ${answered.status ?? answered.error} (${answered.ms} ms)`;
}
