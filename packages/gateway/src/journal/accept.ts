import type { JournalEvent } from '../core/events.ts';
import { newEventId } from '../core/ids.ts';
import type { Tx } from '../store/db/store.ts';
import { isWishedFor } from '../store/journal/event-log.ts';
import { deleteEvent, insertEvents, type NewEventRow } from '../store/journal/events.ts';
import { countLineTraffic } from '../store/lines/traffic.ts';
import { authentic, type ChangeEvent } from '../store/messages/changes.ts';
import { advance, type StatusEvent } from '../store/messages/message-status.ts';
import { type Projected, project } from '../store/messages/projections.ts';
import { stillUnread, type UndecryptableEvent } from '../store/messages/undecryptable.ts';
import { listenersOf } from '../store/webhooks/subscriptions.ts';
import { fanOut } from '../webhooks/fan-out.ts';
import type { Fact } from './from-engine.ts';

/** Whose journal. */
export interface LineRef {
  id: string;
  accountId: string;
}

/**
 * Takes facts into the journal: appends each once (unique per line and key), projects messages,
 * chats and contacts, and inserts the deliveries, all in the caller's transaction. The caller
 * closes the inbox or outbox row in the same one: then a fact happened everywhere or nowhere.
 * Returns what was new, in order. A known key, and a status that a message has already passed,
 * yield nothing.
 *
 * Typing is a live fact: it is appended only when a webhook or a stream wants it (a delivery needs
 * its row; it expires after `DELIVER_WITHIN_MS`).
 */
export async function accept(tx: Tx, line: LineRef, facts: Fact[], nowMs: number): Promise<JournalEvent[]> {
  return (await acceptFacts(tx, line, facts, nowMs)).events;
}

/** What came of facts. */
export interface Accepted {
  /** What was new, in order. */
  events: JournalEvent[];
  /** How many deliveries wait because of it. */
  deliveries: number;
}

/** Like `accept`, for callers that wake the dispatcher. */
export async function acceptFacts(tx: Tx, line: LineRef, facts: Fact[], nowMs: number): Promise<Accepted> {
  let deliveries = 0;
  const accepted: JournalEvent[] = [];
  const toFanOut: JournalEvent[] = [];
  for (const run of runsOf(facts)) {
    const { news, receipts } = await newsOf(tx, line.id, run, nowMs);
    const appended = await append(tx, line, news, nowMs);
    if (run[0]?.type === 'typing') {
      const live = await onlyWanted(tx, appended, nowMs);
      deliveries += live.deliveries;
      accepted.push(...live.events);
      continue;
    }
    await project(tx, line.id, appended, nowMs);
    const events = appended.map(({ event }) => event);
    if (receipts.length > 0 && (await areReceiptsWanted(tx, line.id, nowMs))) {
      events.push(...(await append(tx, line, receipts, nowMs)).map(({ event }) => event));
    }
    accepted.push(...events);
    toFanOut.push(...events);
  }
  if (toFanOut.length > 0) deliveries += await fanOut(tx, toFanOut);
  const received = accepted.filter(({ type, payload }) => type === 'message.received' && !payload.fromMe).length;
  // Last: every transaction locks this row after all others.
  if (received > 0) await countLineTraffic(tx.db, line.id, { received }, nowMs);
  return { events: accepted, deliveries };
}

/**
 * Neighbours that can be written together: statuses of one kind, changes, typing, everything else.
 * Runs are taken in order, because a receipt or a change may follow its message in the same batch.
 */
function runsOf(facts: Fact[]): Fact[][] {
  const kindOf = (fact: Fact): string => {
    if (fact.type === 'message.status') return `status ${fact.payload.status}`;
    if (fact.type === 'message.edited' || fact.type === 'message.revoked') return 'change';
    if (fact.type === 'message.undecryptable') return 'undecryptable';
    return fact.type === 'typing' ? 'typing' : 'fact';
  };
  const runs: Fact[][] = [];
  let kind: string | undefined;
  for (const fact of facts) {
    if (kindOf(fact) === kind) runs.at(-1)?.push(fact);
    else runs.push([fact]);
    kind = kindOf(fact);
  }
  return runs;
}

/**
 * The part of a run that is news: statuses that advance, changes by people who may make them,
 * messages that could not be read and still cannot.
 */
async function newsOf(tx: Tx, lineId: string, run: Fact[], nowMs: number): Promise<{ news: Fact[]; receipts: Fact[] }> {
  if (isStatusRun(run)) return advance(tx, lineId, run, nowMs);
  const told = (news: Fact[]) => ({ news, receipts: [] });
  if (isUndecryptableRun(run)) return told(await stillUnread(tx, lineId, run));
  return told(isChangeRun(run) ? await authentic(tx, lineId, run) : run);
}

/**
 * A large group reads a message a thousand times: single receipts are told only where subscribed.
 */
async function areReceiptsWanted(tx: Tx, lineId: string, nowMs: number): Promise<boolean> {
  const { subscriptions } = (await listenersOf(tx.db, lineId)) ?? { subscriptions: [] };
  return subscriptions.some(({ selectors }) => selectors.has('message.receipt')) || isWishedFor(tx.db, lineId, nowMs);
}

const isChangeRun = (run: Fact[]): run is ChangeEvent[] =>
  run[0]?.type === 'message.edited' || run[0]?.type === 'message.revoked';
const isUndecryptableRun = (run: Fact[]): run is UndecryptableEvent[] => run[0]?.type === 'message.undecryptable';
const isStatusRun = (run: Fact[]): run is StatusEvent[] => run[0]?.type === 'message.status';

async function append(tx: Tx, line: LineRef, facts: Fact[], nowMs: number): Promise<Projected[]> {
  const rows = new Map<string, { fact: Fact; row: NewEventRow }>();
  for (const fact of facts) {
    if (rows.has(fact.dedupeKey)) continue;
    const row = {
      id: newEventId(),
      account_id: line.accountId,
      line_id: line.id,
      type: fact.type,
      dedupe_key: fact.dedupeKey,
      chat: fact.chat,
      payload: JSON.stringify(written(fact)),
      created_at: nowMs,
    };
    rows.set(fact.dedupeKey, { fact, row });
  }
  const inserted = await insertEvents(
    tx.db,
    [...rows.values()].map(({ row }) => row),
  );
  const appended = inserted.flatMap(({ seq, id, dedupeKey }): Projected[] => {
    const of = rows.get(dedupeKey);
    if (!of) return [];
    const event = toEvent(of.fact, line, { id, seq, createdAt: nowMs });
    return [{ event, payload: of.row.payload, proto: 'proto' in of.fact ? of.fact.proto : undefined }];
  });
  return appended.sort((a, b) => a.event.seq - b.event.seq);
}

/** A payload as it is kept: with its trace, where there is one. */
const written = ({ payload, traceparent }: Fact): object =>
  traceparent === undefined ? payload : { ...payload, traceparent };

function toEvent(fact: Fact, line: LineRef, given: { id: string; seq: number; createdAt: number }): JournalEvent {
  const { type, payload } = fact;
  return { ...given, accountId: line.accountId, lineId: line.id, type, payload } as JournalEvent;
}

/** Fans live facts out and takes back those without a subscriber. */
async function onlyWanted(tx: Tx, appended: Projected[], nowMs: number): Promise<Accepted> {
  const wanted: Accepted = { events: [], deliveries: 0 };
  for (const { event } of appended) {
    const deliveries = await fanOut(tx, [event]);
    wanted.deliveries += deliveries;
    if (deliveries > 0 || (await isWishedFor(tx.db, event.lineId, nowMs))) wanted.events.push(event);
    else await deleteEvent(tx.db, event.seq);
  }
  return wanted;
}
