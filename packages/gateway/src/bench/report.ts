import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { CLASSES_MS, median, rounded, type Waits } from './figures.ts';
import type { Memory } from './processes.ts';
import type { Cost, Returned } from './scenarios.ts';

/** Everything that was measured of one contestant. */
export interface Findings {
  name: string;
  answerMeans: string;
  oneLine: Memory;
  rounds: { sends: Cost; one: Cost; inbound: Cost }[];
  waits?: { sends: Waits; inbound: Waits };
  /** Messages so far, both ways, and the memory of all processes then. */
  loaded?: Memory & { messages: number };
  idle: (Memory & { lines: number; sends: Cost; inbound: Cost })[];
  cut?: Returned & { lines: number };
  restart?: { lines: number; seconds: number; mb: number };
}

export interface RunFacts {
  command: string;
  date: string;
  minutes: number;
  messages: number;
  rounds: number;
  rows: number;
  perSecond: number;
}

const START = '<!-- measured: written by `npm run bench` -->';
const END = '<!-- end of what was measured -->';

const cell = (value: unknown): string => (value === undefined || value === '' ? '–' : String(value));
const table = (head: string[], rows: unknown[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const sum = (cost: Cost): number => Object.values(cost.cpuMsEach).reduce((total, each) => total + each, 0);

/** `2.31 (main 0.80, worker 1.51)`, medians of the rounds. */
function cpu(costs: Cost[]): string {
  if (costs.length === 0) return '';
  const roles = Object.keys(costs[0]?.cpuMsEach ?? {});
  const all = rounded(median(costs.map(sum)), 2);
  if (roles.length < 2) return String(all);
  const parts = roles.map((role) => `${role} ${rounded(median(costs.map((cost) => cost.cpuMsEach[role] ?? 0)), 2)}`);
  return `${all} (${parts.join(', ')})`;
}

/** `160 (main 90, worker 70)` */
function memory({ mb, byRole }: Memory): string {
  const roles = Object.entries(byRole);
  return roles.length < 2 ? String(mb) : `${mb} (${roles.map(([role, own]) => `${role} ${own}`).join(', ')})`;
}

const spread = (values: number[]): string => {
  if (values.length === 0) return '';
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${rounded(median(values))} (${rounded(least)}–${rounded(most)})`;
};

/** The whole report in Markdown, as it stands in docs/benchmark.md and on the screen. */
export function reportOf(all: Findings[], facts: RunFacts): string {
  const head = ['', ...all.map(({ name }) => name)];
  const row = (what: string, of: (one: Findings) => unknown): unknown[] => [what, ...all.map(of)];
  const costs = (pick: 'sends' | 'one' | 'inbound') => (one: Findings) => one.rounds.map((round) => round[pick]);
  const rate = (pick: 'sends' | 'one' | 'inbound') => (one: Findings) =>
    spread(costs(pick)(one).map(({ perSecond }) => perSecond));
  const network = (pick: 'sends' | 'inbound') => (one: Findings) =>
    rounded(median(costs(pick)(one).map(({ networkCpuMsEach }) => networkCpuMsEach)), 2);
  const waits = (of: Waits | undefined): string => (of ? `${of.p50} / ${of.p99} / ${of.max}` : '');
  const main = table(head, [
    row('an answer to a send means', (one) => one.answerMeans),
    row('sends/s to 20 chats, 16 in flight', rate('sends')),
    row('CPU ms each', (one) => cpu(costs('sends')(one))),
    row('sends/s to one chat, 16 in flight', rate('one')),
    row('inbound/s from a backlog to the webhook', rate('inbound')),
    row('CPU ms each', (one) => cpu(costs('inbound')(one))),
    row("the network's CPU ms for a send", network('sends')),
    row("the network's CPU ms for a message in", network('inbound')),
    row(`sends at ${facts.perSecond}/s, ms p50 / p99 / max`, (one) => waits(one.waits?.sends)),
    row(`inbound at ${facts.perSecond}/s, ms p50 / p99 / max`, (one) => waits(one.waits?.inbound)),
    row('memory of one idle line, MB, all processes', (one) => memory(one.oneLine)),
    row(
      'memory after load, one line, MB',
      (one) => one.loaded && `${memory(one.loaded)}, ${one.loaded.messages} messages`,
    ),
    ...idleRows(all),
    row('all lines cut: s until connected', (one) => one.cut && `${one.cut.seconds} (${one.cut.lines} lines)`),
    row('CPU ms per reconnect', (one) => one.cut?.cpuMsEach),
    row("the network's CPU ms per reconnect", (one) => one.cut?.networkCpuMsEach),
    row(
      'restart: s until all lines are connected',
      (one) => one.restart && `${one.restart.seconds} (${one.restart.lines} lines)`,
    ),
    row('memory after that restart, MB', memoryAfterRestart),
  ]);
  return [machine(facts), main, ratios(all), histograms(all, facts)].filter((part) => part !== '').join('\n\n');
}

/** All of it, and what each line but the first adds. */
function memoryAfterRestart({ restart, oneLine }: Findings): string {
  if (!restart) return '';
  const each = (restart.mb - oneLine.mb) / (restart.lines - 1);
  return restart.lines > 1 ? `${restart.mb} (${rounded(each, 2)} each)` : String(restart.mb);
}

function idleRows(all: Findings[]): unknown[][] {
  const steps = [...new Set(all.flatMap(({ idle }) => idle.map(({ lines }) => lines)))].sort((a, b) => a - b);
  return steps.flatMap((lines) => {
    const at = (one: Findings) => one.idle.find((step) => step.lines === lines);
    const perLine = (one: Findings): string | undefined => {
      const [first, step] = [one.idle[0], at(one)];
      if (!first || !step || step === first) return undefined;
      return `${step.mb} (${rounded((step.mb - first.mb) / (step.lines - first.lines), 2)} each)`;
    };
    const beside = (one: Findings): string | undefined => {
      const step = at(one);
      return step && `${rounded(sum(step.sends), 2)} / ${rounded(sum(step.inbound), 2)}`;
    };
    return [
      [`memory with ${lines} lines, MB`, ...all.map((one) => perLine(one) ?? at(one)?.mb)],
      [`CPU ms of a send / message in, ${lines} lines`, ...all.map(beside)],
    ];
  });
}

/** What each costs as a multiple of the plain server in the same run. */
function ratios(all: Findings[]): string {
  const plain = all.find(({ name }) => name.startsWith('plain'));
  if (!plain || plain.rounds.length === 0) return '';
  const of = (one: Findings, pick: 'sends' | 'inbound'): number => {
    const pairs = one.rounds.map((round, index) => {
      const other = plain.rounds[index];
      return other ? sum(round[pick]) / sum(other[pick]) : Number.NaN;
    });
    return rounded(median(pairs), 2);
  };
  const rows = all.map((one) => [one.name, of(one, 'sends'), of(one, 'inbound')]);
  return `CPU as a multiple of the plain server's, median of the paired rounds:\n\n${table(['', 'send', 'inbound'], rows)}`;
}

function histograms(all: Findings[], { perSecond }: RunFacts): string {
  const measured = all.flatMap((one) => (one.waits ? [{ name: one.name, waits: one.waits }] : []));
  if (measured.length === 0) return '';
  const classes = [...CLASSES_MS.map((ms) => `≤ ${ms} ms`), 'longer'];
  const rows = measured.flatMap(({ name, waits }) => [
    [`${name}, send`, ...waits.sends.histogram],
    [`${name}, inbound`, ...waits.inbound.histogram],
  ]);
  return `How many took how long, at ${perSecond}/s:\n\n${table(['', ...classes], rows)}`;
}

function machine({ command, date, minutes, messages, rounds, rows }: RunFacts): string {
  const cores = cpus();
  const lines = [
    `\`${command}\`, ${date}, ${minutes} minutes. ${cores.length} cores (${cores[0]?.model.trim() ?? 'unknown'}), ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}; load of the machine at the end ${loadavg()
        .map((of) => of.toFixed(1))
        .join(', ')}.`,
    `Medians of ${rounds} paired rounds of ${messages} messages; in brackets the least and the most.` +
      (rows > 0 ? ` The database held ${rows} messages, events and deliveries each.` : ''),
  ];
  return lines.join('\n');
}

/** Puts the report where the last one stands; everything around it is left as it is. */
export function writeReport(file: string, report: string): void {
  const text = readFileSync(file, 'utf8');
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${file} has no place for what was measured`);
  writeFileSync(file, `${before}${START}\n\n${report}\n\n${END}${after}`);
}
