import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Contestant, untilConnected } from './contestant.ts';
import { Network } from './network.ts';
import { startEngine, startPlain } from './peers.ts';
import { startPonte } from './ponte.ts';
import { type Findings, reportOf, writeReport } from './report.ts';
import {
  addIdleLines,
  backlog,
  cutAll,
  inboundWaits,
  restartAll,
  restingMemory,
  type Stage,
  sends,
  sendsToOne,
  sendWaits,
  setStage,
  warmUp,
} from './scenarios.ts';

/*
 * `npm run bench`: Ponte on both databases, the bare engine, and the server that small teams write
 * around Baileys, side by side on one simulated network. All of them run from the beginning to the
 * end; in every round each does the same work, in changing order, so that what else the machine
 * does shows in all. This process is caller and webhook receiver. Absolute figures are this
 * machine's; ratios travel better.
 */

const DOCUMENT = fileURLToPath(new URL('../../../../docs/benchmark.md', import.meta.url));
const PER_SECOND = 50;
/** What only a start needs is given back by then (core/give-back.ts). */
const AFTER_START_MS = 25_000;
const { values: given } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string' },
    messages: { type: 'string' },
    rounds: { type: 'string' },
    lines: { type: 'string' },
    load: { type: 'string' },
    seconds: { type: 'string' },
    rows: { type: 'string' },
    write: { type: 'boolean' },
  },
});
const number = (text: string | undefined, short: number, long: number): number =>
  text === undefined ? (given.short ? short : long) : Number(text);
const size = {
  messages: number(given.messages, 200, 500),
  rounds: number(given.rounds, 2, 4),
  /** Idle lines beside the busy one, step by step. */
  lines: (given.lines ?? (given.short ? '20' : '100,500')).split(',').map(Number),
  /** Messages before the memory after load is read. */
  load: number(given.load, 2_000, 10_000),
  seconds: number(given.seconds, 5, 15),
  /** Of each of messages, events and deliveries, in one more Ponte on each database. */
  rows: number(given.rows, 0, 0),
};
const postgres = process.env.BENCH_DATABASE_URL ?? process.env.TEST_DATABASE_URL;
const isWanted = (name: string): boolean =>
  given.only === undefined || given.only.split(',').includes(name.replace(FILLED, ''));
const say = (text: string): void => void process.stderr.write(`${text}\n`);

type Starts = [key: string, start: () => Promise<Contestant>][];
/** Ends the names of those whose database was filled. */
const FILLED = '-filled';

interface Run {
  key: string;
  stage: Stage;
  found: Findings;
  /** Messages so far, both ways. */
  messages: number;
}

async function open(network: Network, key: string, of: Contestant): Promise<Run> {
  const stage = await setStage(network, of);
  const found = {
    name: of.name,
    answerMeans: of.answerMeans,
    oneLine: await restingMemory(stage, AFTER_START_MS),
    rounds: [],
    idle: [],
  };
  say(`${of.name}: one idle line, ${JSON.stringify(found.oneLine)}`);
  await warmUp(stage, 300);
  if (key.endsWith(FILLED) && of.fill) {
    say(`${of.name}: filled in ${await of.fill(size.rows)} s`);
    await of.restart?.();
    await untilConnected(of, 1);
  }
  return { key, stage, found, messages: 600 };
}

/** Every one in turn, a round each time with another first. */
async function takeRounds(runs: Run[]): Promise<void> {
  for (let round = 0; round < size.rounds; round += 1) {
    for (let turn = 0; turn < runs.length; turn += 1) {
      const run = runs[(round + turn) % runs.length];
      if (!run) continue;
      const count = size.messages;
      const work = {
        sends: await sends(run.stage, count),
        one: await sendsToOne(run.stage, count),
        inbound: await backlog(run.stage, count),
      };
      run.found.rounds.push(work);
      run.messages += 3 * count;
      say(`round ${round + 1}, ${run.found.name}: ${JSON.stringify(work)}`);
    }
  }
}

async function pace(runs: Run[]): Promise<void> {
  for (const run of runs.filter(({ key }) => key !== 'engine')) {
    const inbound = await inboundWaits(run.stage, PER_SECOND, size.seconds);
    const waits = { inbound, sends: await sendWaits(run.stage, PER_SECOND, size.seconds) };
    run.found.waits = waits;
    run.messages += 2 * PER_SECOND * size.seconds;
    say(`at ${PER_SECOND}/s, ${run.found.name}: ${JSON.stringify(waits)}`);
  }
}

async function load(runs: Run[]): Promise<void> {
  for (const run of runs) {
    while (run.messages < size.load) {
      const count = Math.min(500, Math.ceil((size.load - run.messages) / 2));
      await warmUp(run.stage, count);
      run.messages += 2 * count;
    }
    run.found.loaded = { messages: run.messages, ...(await restingMemory(run.stage)) };
    say(`${run.found.name}: ${JSON.stringify(run.found.loaded)}`);
  }
}

/** One line, then more and more that do nothing; at the end all are cut, and all start again. */
async function crowd({ stage, found, key }: Run): Promise<void> {
  let lines = 0;
  for (const idle of [0, ...size.lines]) {
    await addIdleLines(stage, lines, idle);
    lines = idle;
    const memory = await restingMemory(stage);
    const step = {
      lines: lines + 1,
      ...memory,
      sends: await sends(stage, size.messages),
      inbound: await backlog(stage, size.messages),
    };
    found.idle.push(step);
    say(`${found.name}: ${JSON.stringify(step)}`);
  }
  found.cut = { lines: lines + 1, ...(await cutAll(stage, lines + 1)) };
  say(`${found.name}: all lines cut ${JSON.stringify(found.cut)}`);
  if (key === 'engine') return;
  const seconds = await restartAll(stage, lines + 1);
  if (seconds === undefined) return;
  const { mb } = await restingMemory(stage, AFTER_START_MS);
  found.restart = { lines: lines + 1, seconds, mb };
  say(`${found.name}: restarted ${JSON.stringify(found.restart)}`);
}

/** The same installations once more, with full databases. */
function filled(network: Network, folder: string): Starts {
  if (size.rows === 0) return [];
  const of = `${size.rows.toLocaleString('en').replaceAll(',', ' ')} rows`;
  return [
    [`sqlite${FILLED}`, () => startPonte({ network, folder, name: `Ponte, SQLite, ${of}` })],
    [`postgres${FILLED}`, () => startPonte({ network, folder, name: `Ponte, PostgreSQL, ${of}`, postgres })],
  ];
}

async function main(): Promise<void> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'ponte-bench-'));
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const isOpen = (of: Contestant | Network) => void closers.push(() => of.close());
  try {
    const network = await Network.start(folder);
    isOpen(network);
    const starts: Starts = [
      ['sqlite', () => startPonte({ network, folder, name: 'Ponte, SQLite' })],
      ['postgres', () => startPonte({ network, folder, name: 'Ponte, PostgreSQL', postgres })],
      ...filled(network, folder),
      ['engine', () => startEngine(network)],
      ['plain', () => startPlain(network, folder)],
    ];
    if (postgres === undefined) say('PostgreSQL is left out: BENCH_DATABASE_URL=postgres://… names a server');
    const runs: Run[] = [];
    for (const [key, start] of starts) {
      if (!isWanted(key) || (key.startsWith('postgres') && postgres === undefined)) continue;
      const contestant = await start();
      isOpen(contestant);
      runs.push(await open(network, key, contestant));
    }
    await takeRounds(runs);
    await pace(runs);
    await load(runs);
    for (const run of runs.filter(({ key }) => !key.endsWith(FILLED))) await crowd(run);
    const report = reportOf(
      runs.map(({ found }) => found),
      {
        command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replace(/ --$/, ''),
        date: new Date().toISOString().slice(0, 10),
        minutes: Math.round((performance.now() - started) / 60_000),
        messages: size.messages,
        rounds: size.rounds,
        rows: size.rows,
        perSecond: PER_SECOND,
      },
    );
    process.stdout.write(`${report}\n`);
    if (given.write ?? !given.short) writeReport(DOCUMENT, report);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

await main();
