import type { Command } from 'commander';
import { TRACE_MINUTES_MAX } from '../core/line-commands.ts';
import type { Installation } from '../installation.ts';
import { type CreateLineOptions, createLine, listAllLines, listRemoteLines, logoutLine, restoreLine } from './lines.ts';
import type { Output } from './output.ts';
import { type PairOptions, pairLine } from './pair-line.ts';
import { type SendOptions, sendText } from './send.ts';
import type { ServerOptions } from './server-api.ts';
import { type TraceOptions, traceLine } from './trace.ts';

type WithInstallation = (work: (at: Installation) => Promise<void>) => Promise<void>;

/** Options of what a server does: the local one, unless another is named. */
const onServer = (command: Command): Command =>
  command
    .option('--url <address>', 'another server; default: the one of the local data directory')
    .option('--key <key>', 'its API key')
    .option('--json', 'one JSON document');

/** `ponte lines …` and `ponte send`. */
export function addLines(program: Command, out: Output, withInstallation: WithInstallation): void {
  const lines = program.command('lines').description('lines');
  onServer(lines.command('list')).action((given: ServerOptions & { json?: boolean }) =>
    given.url === undefined && given.key === undefined
      ? withInstallation((at) => listAllLines(at, given, out))
      : listRemoteLines(given, out),
  );
  onServer(
    lines
      .command('create')
      .description('make a line, to be paired next')
      .requiredOption('--mode <mode>', 'test or live; with --key: that of the key')
      .option('--account <id>', 'default: the account of this installation')
      .option('--label <text>', 'what it is called')
      .option('--customer-ref <ref>', 'its name in the Bridges API'),
  ).action((given: CreateLineOptions) => createLine(given, out));
  onServer(
    lines
      .command('pair')
      .description('show the QR to scan, until the line is connected')
      .argument('<line>', 'line_…')
      .option('--code <phone>', 'a code to type on the phone with this number, instead of a QR'),
  ).action((line: string, given: PairOptions) => pairLine(line, given, out));
  onServer(lines.command('logout').description('unlink the phone').argument('<line>', 'line_…')).action(
    (line: string, given: ServerOptions & { json?: boolean }) => logoutLine(line, given, out),
  );
  onServer(
    lines
      .command('restore')
      .description('take back the credentials of a line that the phone logged out within the last 7 days')
      .argument('<line>', 'line_…'),
  ).action((line: string, given: ServerOptions & { json?: boolean }) => restoreLine(line, given, out));
  onServer(
    program
      .command('trace')
      .description('what a line and WhatsApp say to each other, without texts, names and addresses, until Ctrl-C')
      .argument('<line>', 'line_…')
      .option('--minutes <minutes>', `how long, ${TRACE_MINUTES_MAX} at most`, '60')
      .option('--stop', 'end one that is under way'),
  ).action(async (line: string, given: TraceOptions) => {
    const stop = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
    await traceLine(line, given, out, stop.signal);
  });
  onServer(
    program
      .command('send')
      .description('send a text')
      .argument('<line>', 'line_…')
      .argument('<to>', 'a phone number or JID')
      .argument('<text>')
      .option('--wait <seconds>', 'for WhatsApp’s acknowledgement', '30')
      .option('--idempotency-key <key>', 'the same key sends once'),
  ).action((lineId: string, to: string, text: string, given: SendOptions) =>
    sendText({ lineId, to, text }, given, out),
  );
}
