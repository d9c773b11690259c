import { Readable } from 'node:stream';
import { mayAct } from '../../access/console-roles.ts';
import type { ConsoleSession, Sessions } from '../../access/console-sessions.ts';
import type { Caller, Execute } from '../../commands/execute.ts';
import type { Change } from '../../commands/tell-changes.ts';
import { AppError } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import { remedyOf } from '../../core/line-reasons.ts';
import type { LineStanding, Mode } from '../../core/lines.ts';
import type { Answer } from '../../http/route.ts';

/** What is true of a line at this moment. */
export interface LiveLine extends LineStanding {
  lineId: string;
  phone: string | null;
  name: string | null;
  qr: { data: string; expiresAt: number } | null;
}

export interface LiveStreamServices {
  /** Tells of every change of any line; the returned function ends it. */
  subscribe(listener: (line: LiveLine) => void): () => void;
  latest(lineId: string): LiveLine | undefined;
  execute: Execute;
  sessions: Pick<Sessions, 'isAlive'>;
  clock: Clock;
}

export interface LiveStreams {
  /** Carries lines of both modes: one stream serves every page of a browser. */
  open(session: ConsoleSession, caller: Caller): Promise<Answer>;
  /**
   * Something was delivered, sent or received, or (`settings`) lines or webhooks changed: pages
   * that show such things reload. Sent once a second at most.
   */
  activity(change?: Change): void;
  /** Ends every stream; further ones are refused. */
  close(): void;
}

interface Stream {
  session: ConsoleSession;
  /** The person, once for each mode. */
  callers: readonly Caller[];
  out: Readable;
  /** Lines of this account, with their mode, and lines that are not. */
  mine: Map<string, Mode>;
  foreign: Set<string>;
  end(): void;
}

const PING_MS = 10_000;
const ACTIVITY_EVERY_MS = 1_000;
const MAX_STREAMS = 200;
const MAX_PER_SESSION = 12;
/** A reader this far behind is gone: it connects again and is told everything anew. */
const MAX_BUFFERED = 1_048_576;
const MAX_FOREIGN = 10_000;

/**
 * The console's one event stream: lines as they are, and hints that there is something new to ask
 * for. Loss is harmless: a reconnect starts afresh.
 */
export function createLiveStreams(services: LiveStreamServices): LiveStreams {
  const { execute, sessions, clock } = services;
  const streams = new Set<Stream>();
  let isClosed = false;
  let activityDue = false;
  let haveSettingsChanged = false;

  const send = (stream: Stream, event: string, data: unknown): void => {
    if (!streams.has(stream)) return;
    if (stream.out.readableLength > MAX_BUFFERED) stream.out.destroy();
    else stream.out.push(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };

  /** Which mode of this account a line belongs to; undefined when it is another account's. */
  async function modeOf({ callers }: Stream, lineId: string): Promise<Mode | undefined> {
    for (const caller of callers) {
      const known = await execute.run('lines.get', { line: { id: lineId } }, caller).catch((error: unknown) => {
        if (error instanceof AppError) return undefined;
        throw error;
      });
      if (known) return caller.mode;
    }
    return undefined;
  }

  async function show(stream: Stream, line: LiveLine): Promise<void> {
    if (stream.foreign.has(line.lineId)) return;
    const mode = stream.mine.get(line.lineId) ?? (await modeOf(stream, line.lineId));
    if (!mode) {
      if (stream.foreign.size < MAX_FOREIGN) stream.foreign.add(line.lineId);
      return;
    }
    stream.mine.set(line.lineId, mode);
    // What a phone can scan is a secret that pairs: not for those who only look.
    const qr = mayAct(stream.session.role, 'developer') ? line.qr : null;
    send(stream, 'line', {
      line_id: line.lineId,
      mode,
      status: line.status,
      reason: line.reason,
      until: line.until === null ? null : new Date(line.until).toISOString(),
      code: line.whatsappCode,
      remedy: remedyOf(line.reason),
      phone: line.phone,
      name: line.name,
      qr: qr && { data: qr.data, expires_at: new Date(qr.expiresAt).toISOString() },
    });
  }

  async function ping(stream: Stream): Promise<void> {
    if (!(await sessions.isAlive(stream.session.sessionId))) return stream.end();
    send(stream, 'ping', {});
    return undefined;
  }

  return {
    async open(session, caller) {
      const ofSession = [...streams].filter((one) => one.session.sessionId === session.sessionId).length;
      if (isClosed || streams.size >= MAX_STREAMS) throw new AppError('unavailable', { retryAfterSeconds: 5 });
      if (ofSession >= MAX_PER_SESSION) {
        throw new AppError('rate_limited', { retryAfterSeconds: 10 }, { message: 'Too many open pages. Close one.' });
      }
      let cancelPing = () => {};
      let unsubscribe = () => {};
      const out = new Readable({ read() {} });
      const stream: Stream = {
        session,
        callers: (['test', 'live'] as const).map((mode) => ({ ...caller, mode })),
        out,
        mine: new Map(),
        foreign: new Set(),
        end: () => {
          if (streams.has(stream)) out.push(null);
          forget();
        },
      };
      const forget = () => {
        cancelPing();
        unsubscribe();
        streams.delete(stream);
      };
      out.once('close', forget);
      out.on('error', () => {}); // The reader hung up: 'close' follows.
      streams.add(stream);
      const beat = (): void => {
        cancelPing = clock.after(PING_MS, () => {
          ping(stream).then(
            () => (streams.has(stream) ? beat() : undefined),
            () => stream.end(),
          );
        });
      };
      beat();
      unsubscribe = services.subscribe((line) => void show(stream, line).catch(() => stream.end()));
      send(stream, 'hello', {});
      try {
        for (const one of stream.callers) {
          for (const { line } of await execute.run('lines.all', {}, one)) {
            stream.mine.set(line.id, one.mode);
            const now = services.latest(line.id);
            if (now) await show(stream, now);
          }
        }
      } catch (error) {
        stream.end();
        throw error;
      }
      return {
        status: 200,
        headers: { 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
        stream: { contentType: 'text/event-stream; charset=utf-8', data: out },
      };
    },
    activity(change) {
      haveSettingsChanged ||= change === 'settings';
      if (activityDue || streams.size === 0) return;
      activityDue = true;
      clock.after(ACTIVITY_EVERY_MS, () => {
        activityDue = false;
        const told = { settings: haveSettingsChanged };
        haveSettingsChanged = false;
        for (const stream of streams) send(stream, 'activity', told);
      });
    },
    close() {
      isClosed = true;
      for (const stream of [...streams]) stream.end();
    },
  };
}
