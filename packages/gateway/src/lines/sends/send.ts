import {
  type Engine,
  EngineError,
  type Expiration,
  isChange,
  isFile,
  isLid,
  isPn,
  type Prepared,
  type ServerAck,
} from '@ponte/engine';
import type { ErrorCode, ErrorDetails } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { SendOutcome } from '../../core/line-commands.ts';
import type { LineStanding } from '../../core/lines.ts';
import type { Places } from '../../core/places.ts';
import type { LineRestriction } from '../../core/restrictions.ts';
import { backoffMs } from '../../core/retry.ts';
import { isStoreUnreachable } from '../../core/store-unreachable.ts';
import { within } from '../../core/within.ts';
import { acceptFacts, type LineRef } from '../../journal/accept.ts';
import type { LineMetrics } from '../../observe/line-metrics.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store, Tx } from '../../store/db/store.ts';
import { countLineTraffic } from '../../store/lines/traffic.ts';
import { hasArrived } from '../../store/messages/message-status.ts';
import { projectPending } from '../../store/messages/projections.ts';
import { type ChatFacts, chatFacts } from '../../store/sends/chat-facts.ts';
import { loadOutbox, markSent, markUnconfirmed, type OutboxEntry, savePrepared } from '../../store/sends/outbox.ts';
import { failureOf } from './engine-errors.ts';
import { failSend } from './fail-send.ts';
import type { MailboxJob, StepResult } from './mailbox.ts';
import { heldBy, restrictionDetails } from './restricted.ts';
import { changeFact, sentFact, sentFacts } from './sent-facts.ts';

/** What a send needs of its line. */
export interface SendContext {
  line: LineRef;
  store: Store;
  engine: Pick<Engine, 'self' | 'prepare' | 'transmit'>;
  clock: Clock;
  log: Log;
  metrics: LineMetrics;
  /** Aborted when the line stops: nothing is waited for any more. */
  stopping: AbortSignal;
  standing(): LineStanding;
  /** Which connection this is; grows with every login. */
  connection(): number;
  /** New events were committed, and deliveries with them unless said otherwise. */
  nudge(hasDeliveries?: boolean): void;
  uploads: Pick<Places, 'take'>;
  /**
   * Nothing of the line is on the wire, and sends leave without gaps. Otherwise what takes its time
   * is done before one's turn, not in it: gap and order stay what they are.
   */
  isAlone(): boolean;
  /** Others of the line are on the wire, or about to be. */
  hasCompany(): boolean;
  /** A file that was sent from the spool is uploaded: it is needed no more. */
  discardFile(name: string): void;
  onEnd(outboxId: string, outcome: SendOutcome): void;
  /** The step of a trace that this send is; absent where traces are off. */
  traceparent?: string;
}

/**
 * Maximum unacknowledged attempts on a live connection. After that the send fails if nothing left,
 * and stays unconfirmed if something may have.
 */
const MAX_UNANSWERED = 8;
const RETRY_BASE_MS = 2_000;
const RETRY_CAP_MS = 60_000;
/**
 * Between two tries while the connection or our own store is away; the mailbox opens earlier when
 * the connection is back.
 */
const PAUSE_MS = 1_000;
/** An upload that takes longer lets other chats go on; this chat keeps its order. */
const UPLOAD_PATIENCE_MS = 1_000;
/** Poll interval of a long upload. */
const UPLOAD_LOOK_MS = 500;
/** For company in its commit, while other sends of the line are on their way. */
const PATIENCE_MS = 3;
/**
 * Tries to commit an end that already happened at WhatsApp. After them the same message is sent
 * again, which is the same message.
 */
const MAX_COMMITS = 5;

type End = Exclude<StepResult, { type: 'ready' }>;
/** `saved`, `moved on` when the row was not what it had been, or why the store did not take it. */
type Saved = unknown;

/** The bytes are not in the row, so they do not leave. */
class NotSavedError extends Error {
  override readonly name = 'NotSavedError';
}

/** `isNew`: something was journaled. */
type Committed = { outcome: SendOutcome; isNew: boolean; hasDeliveries?: boolean };
const ENDED: End = { type: 'ended' };

/**
 * One outbox row on its way: made ready and stored, transmitted, and its end committed together
 * with its event and deliveries. Every attempt sends the same id and the same bytes. Guarantees no
 * more than one end per row; a message may go on the wire more than once.
 *
 * The bytes are stored while the engine encrypts them, in the same group commit as its ratchets as
 * a rule; the stanza leaves after both. Their durability is `normal`: the engine commits its own
 * ratchet with `full`, and that commit cannot become durable without this one before it.
 *
 * Every later state of the row is written in `#save` and `#commitEnd`, nowhere else.
 */
export class Send implements MailboxJob {
  readonly id: string;
  readonly rank: number;
  readonly order: number;
  readonly chat: string;
  readonly archives: boolean;
  #entry: OutboxEntry;
  readonly #context: SendContext;
  #prepared: Prepared | null;
  /** The upload under way. */
  #making: Promise<Prepared> | undefined;
  /**
   * On this connection WhatsApp left it unanswered so often. Ends of connections do not count: they
   * say nothing about the message.
   */
  #unanswered = { connection: 0, times: 0 };
  /** The row says `sending`. */
  #isSending: boolean;
  /** The bytes on their way into the row. */
  #saving: Promise<Saved> | undefined;
  /** Bytes may be at WhatsApp, or on their way: it must not be reported as "not sent" any more. */
  #mayHaveLeft: boolean;

  constructor(entry: OutboxEntry, context: SendContext) {
    this.id = entry.id;
    this.rank = entry.rank;
    this.order = entry.seq;
    this.chat = entry.toJid;
    this.archives = entry.archives;
    this.#entry = entry;
    this.#context = context;
    this.#prepared = entry.prepared;
    this.#isSending = entry.mayHaveLeft;
    this.#mayHaveLeft = entry.mayHaveLeft;
  }

  async prepare(): Promise<StepResult> {
    if (this.#saving) {
      const saved = await this.#saving;
      if (saved !== 'saved') return this.#unsaved(saved);
    }
    if (this.#prepared && this.#isSending) return { type: 'ready' };
    const { content } = this.#entry;
    let facts: ChatFacts;
    try {
      facts = await this.#chatFacts();
      const held = await this.#heldBy(facts);
      if (held) return await this.fail('account_restricted', restrictionDetails(held));
    } catch (error) {
      return this.#storeAway(error);
    }
    let prepared: Prepared | undefined;
    try {
      prepared = this.#prepared ?? (await this.#make(facts.expiration));
    } catch (error) {
      return this.#refused(error);
    }
    if (!prepared) return { type: 'again', afterMs: UPLOAD_LOOK_MS };
    this.#prepared = prepared;
    this.#saving = this.#save(prepared);
    // A message by itself is encrypted meanwhile, and leaves when it is saved.
    if (isFile(content) || !this.#context.isAlone()) {
      const saved = await this.#saving;
      if (saved !== 'saved') return this.#unsaved(saved);
    }
    if (isFile(content)) this.#context.discardFile(content.file.name);
    return { type: 'ready' };
  }

  /** What is known of the recipient's chat and decides over the message. */
  async #chatFacts(): Promise<ChatFacts> {
    const { content, toJid } = this.#entry;
    if (isChange(content) || !(isPn(toJid) || isLid(toJid))) return { restrictions: [], expiration: undefined };
    return chatFacts(this.#context.store.db, this.#context.line.id, toJid);
  }

  async #heldBy({ restrictions }: ChatFacts): Promise<LineRestriction | undefined> {
    const { store, line, clock } = this.#context;
    if (restrictions.length === 0) return undefined;
    const { content, toJid } = this.#entry;
    return heldBy(store.db, { lineId: line.id, to: toJid, content, nowMs: clock.now(), restrictions });
  }

  /** Commits the bytes, and with them that they may leave. */
  #save(prepared: Prepared): Promise<Saved> {
    const { engine, store, line, clock, traceparent } = this.#context;
    const { content, acceptedAt } = this.#entry;
    const facts = isChange(content)
      ? undefined
      : sentFacts(content, prepared, engine.self(), Math.floor(acceptedAt / 1_000));
    return store
      .transaction(
        async (tx) => {
          if (!(await savePrepared(tx, this.id, prepared, clock.now()))) return false;
          if (facts) await projectPending(tx, line.id, { ...facts, traceparent }, prepared.proto, clock.now());
          return true;
        },
        'normal',
        line.id,
      )
      .then(
        (isOpen) => {
          if (isOpen) this.#isSending = true;
          return isOpen ? 'saved' : 'moved on';
        },
        (error: unknown) => error,
      );
  }

  /** Nothing left: the store did not take the bytes, or the row is not what it was. */
  async #unsaved(saved: unknown): Promise<End> {
    this.#saving = undefined;
    if (saved !== 'moved on') return this.#storeAway(saved);
    try {
      return await this.#movedOn();
    } catch (error) {
      return this.#storeAway(error);
    }
  }

  /**
   * The message as it goes on the wire; undefined while its file is being uploaded, or waits for a
   * place to be.
   */
  async #make(expiration: Expiration | undefined): Promise<Prepared | undefined> {
    const { engine, clock, uploads } = this.#context;
    const { toJid, messageId, content: said } = this.#entry;
    // With the time that messages of its chat stay.
    const content = expiration && !isChange(said) ? { ...said, context: { ...said.context, expiration } } : said;
    if (!isFile(content)) return engine.prepare(content, toJid, messageId);
    if (!this.#making) {
      const release = uploads.take();
      if (!release) return undefined;
      this.#making = engine.prepare(content, toJid, messageId).finally(release);
      // The next call gets a failure; until then it must not count as an unhandled rejection.
      this.#making.catch(() => {});
    }
    try {
      const made = await within(clock, this.#making, UPLOAD_PATIENCE_MS);
      if (made) this.#making = undefined;
      return made;
    } catch (error) {
      this.#making = undefined;
      throw error;
    }
  }

  /**
   * The row was ended before anything left (it was cancelled), or another worker had taken it up
   * before this one: then the other worker's bytes are sent.
   */
  async #movedOn(): Promise<End> {
    const { store, line, onEnd } = this.#context;
    const entry = await loadOutbox(store.db, line.id, this.id);
    if (!entry || entry.outcome) {
      onEnd(this.id, entry?.outcome ?? { state: 'failed', code: 'message_cancelled', details: {} });
      return ENDED;
    }
    this.#entry = entry;
    this.#prepared = entry.prepared;
    this.#isSending = entry.mayHaveLeft;
    this.#mayHaveLeft = entry.mayHaveLeft;
    return { type: 'again', afterMs: 0 };
  }

  async transmit(release: () => void): Promise<End> {
    const prepared = this.#prepared;
    if (!prepared) throw new Error(`${this.id} was transmitted before it was made ready`);
    const { engine, clock, metrics, stopping } = this.#context;
    let ack: ServerAck;
    const from = clock.monotonic();
    try {
      ack = await engine.transmit(prepared, stopping, async () => {
        if ((await this.#saving) !== 'saved' && !this.#isSending) throw new NotSavedError();
        this.#mayHaveLeft = true;
      });
      metrics.acknowledged(clock.monotonic() - from);
    } catch (error) {
      if (error instanceof NotSavedError) return this.#unsaved(await this.#saving);
      return this.#refused(error);
    } finally {
      release();
    }
    return this.#commitEnd((tx) => this.#sent(tx, prepared, ack));
  }

  /** Ends a row that will not leave any more. */
  fail(code: ErrorCode, details: ErrorDetails): Promise<End> {
    return this.#commitEnd((tx) => this.#failed(tx, code, details));
  }

  /**
   * No connection will come. What never left fails with this code; what may have left is not sent
   * again either, but stays unconfirmed until a receipt comes, or its time is over.
   */
  abandon(code: ErrorCode, details: ErrorDetails): Promise<End> {
    return this.#mayHaveLeft ? this.#leaveUnconfirmed() : this.fail(code, details);
  }

  /** Its time is over. */
  expire(): Promise<End> {
    return this.fail(this.#mayHaveLeft ? 'unconfirmed' : 'message_expired', {});
  }

  /** A receipt came although WhatsApp's acknowledgement never did. */
  confirm(): Promise<End> {
    const prepared = this.#prepared;
    if (!prepared) throw new Error(`${this.id} was confirmed before it was made ready`);
    return this.#commitEnd((tx) => this.#sent(tx, prepared, this.#ackNow()));
  }

  #leaveUnconfirmed(): Promise<End> {
    const { clock } = this.#context;
    return this.#commitEnd(async (tx) => {
      await markUnconfirmed(tx, this.id, clock.now());
      return { outcome: { state: 'unconfirmed' }, isNew: false };
    });
  }

  #ackNow(): ServerAck {
    return { timestamp: Math.floor(this.#context.clock.now() / 1_000) };
  }

  /** What an engine's refusal means for this message. */
  async #refused(error: unknown): Promise<End> {
    const { log, standing, clock, line } = this.#context;
    const fields = { lineId: line.id, outboxId: this.id };
    if (error instanceof EngineError) {
      if (error.code === 'not_connected' || error.code === 'wrong_state' || error.code === 'store_failed') {
        return { type: 'again', afterMs: PAUSE_MS };
      }
      if (error.code !== 'timeout') {
        const { code, details } = failureOf(error, standing());
        log.info({ ...fields, reason: error.code, serverCode: error.serverCode }, 'message refused');
        // Only WhatsApp's own word on the message says that it does not have it.
        return error.serverCode === undefined ? this.abandon(code, details) : this.fail(code, details);
      }
    } else if (isStoreUnreachable(error)) {
      return this.#storeAway(error);
    } else if (this.#context.stopping.aborted) {
      return { type: 'again', afterMs: PAUSE_MS };
    } else {
      log.error({ ...fields, error }, 'sending failed in an unexpected way');
    }
    const connection = this.#context.connection();
    const times = this.#unanswered.connection === connection ? this.#unanswered.times + 1 : 1;
    this.#unanswered = { connection, times };
    if (times >= MAX_UNANSWERED) {
      return this.abandon(error instanceof EngineError ? 'whatsapp_timeout' : 'server_error', {});
    }
    return { type: 'again', afterMs: backoffMs(times, clock.random(), RETRY_BASE_MS, RETRY_CAP_MS) };
  }

  #storeAway(error: unknown): End {
    this.#context.log.warn(
      { lineId: this.#context.line.id, outboxId: this.id, error },
      'the store did not take a send',
    );
    return { type: 'again', afterMs: PAUSE_MS };
  }

  async #commitEnd(work: (tx: Tx) => Promise<Committed>): Promise<End> {
    const { store, line, clock, metrics, stopping, nudge, onEnd, hasCompany } = this.#context;
    for (let tries = 1; ; tries++) {
      try {
        // The next one's ratchets, or a receipt, are about to be committed.
        const patienceMs = hasCompany() ? PATIENCE_MS : undefined;
        const { outcome, isNew, hasDeliveries } = await store.transaction(work, 'normal', line.id, patienceMs);
        if (isNew) nudge(hasDeliveries);
        const { content } = this.#entry;
        if (isNew && !isChange(content) && outcome.state !== 'unconfirmed') {
          metrics.ended(content.kind, outcome.state, this.#ageMs());
        }
        onEnd(this.id, outcome);
        return ENDED;
      } catch (error) {
        if (tries >= MAX_COMMITS || stopping.aborted) return this.#storeAway(error);
        await clock.sleep(backoffMs(tries, clock.random()), stopping);
      }
    }
  }

  async #sent(tx: Tx, prepared: Prepared, ack: ServerAck): Promise<Committed> {
    const { line, engine, clock, traceparent } = this.#context;
    const nowMs = clock.now();
    const outcome: SendOutcome = { state: 'sent', timestamp: ack.timestamp };
    if (!(await markSent(tx, this.id, ack.timestamp, nowMs))) return { outcome, isNew: false };
    const { content } = this.#entry;
    const fact = isChange(content)
      ? changeFact(content, prepared, engine.self(), ack.timestamp)
      : sentFact(content, prepared, engine.self(), ack.timestamp);
    if (traceparent !== undefined) fact.traceparent = traceparent;
    const { deliveries } = await acceptFacts(tx, line, [fact], nowMs);
    if (!isChange(content)) {
      const sendMs = this.#ageMs();
      await countLineTraffic(tx.db, line.id, { sent: 1, sendMs, slowestSendMs: sendMs }, nowMs);
    }
    return { outcome, isNew: true, hasDeliveries: deliveries > 0 };
  }

  /** Milliseconds since it could have left. */
  #ageMs(): number {
    const { acceptedAt, sendAt } = this.#entry;
    return Math.max(0, this.#context.clock.now() - Math.max(acceptedAt, sendAt ?? 0));
  }

  async #failed(tx: Tx, code: ErrorCode, details: ErrorDetails): Promise<Committed> {
    const { line, clock, traceparent } = this.#context;
    const prepared = this.#prepared;
    // A message that has arrived did not fail, whatever the error says.
    if (prepared && (await hasArrived(tx, line.id, this.#entry.messageId))) {
      return this.#sent(tx, prepared, this.#ackNow());
    }
    const entry = { ...this.#entry, prepared, traceparent };
    const isNew = await failSend(tx, { line, entry, code, details, nowMs: clock.now() });
    return { outcome: { state: 'failed', code, details }, isNew };
  }
}
