import { type App, createApp } from '../app.ts';
import { type Config, configSummary, isOnLoopback } from '../config/config.ts';
import { processConfig, processEnvironment } from '../config/environment.ts';
import { systemClock } from '../core/clock.ts';
import { giveBackAfterStart } from '../core/give-back.ts';
import { within } from '../core/within.ts';
import { createLogger, type Log } from '../observe/logger.ts';
import { CommandFailed, type Output, standardOutput } from './output.ts';
import { isPonteAt, provePort } from './port-holder.ts';
import { QUICK_START_RECEIVER_PORT, quickStart } from './quick-start.ts';

/** Of the time to stop: kept for the end of what is under way, once the lines are handed over. */
const END_MS = 10_000;
/** Signals so close to each other are one. */
const SAME_SIGNAL_MS = 1_000;

/**
 * True for a start on a developer's machine, as far as can be told: loopback only, nothing said
 * about private targets, and nothing that tells of others who come in through a proxy.
 */
export const isDevelopment = ({ http, allowPrivateTargets }: Config): boolean =>
  isOnLoopback(http.host) &&
  http.publicUrl === undefined &&
  http.trustProxy === false &&
  allowPrivateTargets.length === 0;

/** Runs the server until SIGTERM or SIGINT. Rejects when it cannot start. */
export async function startServer(
  options: { version: string; consoleFolder: string },
  out: Output = standardOutput,
): Promise<void> {
  const environment = processEnvironment();
  const config = processConfig(environment);
  const log = createLogger({ level: config.logLevel, process: 'main' });
  if (isDevelopment(config)) {
    const entry = `127.0.0.1:${QUICK_START_RECEIVER_PORT}`;
    config.allowPrivateTargets.push(entry);
    log.info({ entry }, 'development start: the receiver of the quick start is allowed as a webhook target');
  }
  log.info({ ...configSummary(config), version: options.version, node: process.versions.node }, 'starting');
  const stopping = stopSignal();
  await freePort(config);
  // A start can wait for its database; nothing is lost when it is told to stop meanwhile.
  const app = await Promise.race([createApp(config, { environment, log, ...options }), stopping]);
  if (typeof app === 'string') {
    log.info({ signal: app }, 'stopped before it was up');
    return;
  }
  await tellStart(app, out);
  out.say(`Ponte runs on ${app.url}`);
  giveBackAfterStart(systemClock);
  const end = await Promise.race([stopping, app.lost]);
  // No draining then: the other gateway runs the same lines by now. What was accepted is stored.
  if (end instanceof Error) throw end;
  await drain(app, end, config.drainSeconds * 1_000, log);
}

/**
 * Printed once in the life of an installation: the test key appears here and nowhere else. The
 * console's set-up link is printed at every start until it is used, each time with a new token; the
 * token stands behind the #, so that no log on the way sees it.
 */
async function tellStart(app: App, out: Output): Promise<void> {
  const first = await app.firstStart();
  const token = await app.setUpToken();
  const address = forBrowser(app.url);
  const link = token === undefined ? `${address}/` : `${address}/set-up#${token}`;
  if (!first) {
    if (token !== undefined) out.result(`\nThe console has no account yet. Make yours: ${link}\n`);
    return;
  }
  out.result(`
Ponte is set up.

  Console   ${link}
  Test key  ${first.testKey}
            (shown once; "npm run -s ponte -- keys create --mode test --name NAME" makes another)

Try it without a phone. Start a receiver in a second terminal, if you want to see the webhooks:

npm run -s ponte -- receiver

and paste this into a third one:

${quickStart(app.url, first.testKey)}
`);
}

/** Passkeys belong to a name: a browser takes none for 127.0.0.1, but does for localhost. */
const forBrowser = (url: string): string =>
  url.replace(/^http:\/\/(127\.0\.0\.1|\[::1\])(?=[:/]|$)/, 'http://localhost');

/** Found out before anything is begun; another Ponte there may well be this very installation. */
async function freePort({ http }: Config): Promise<void> {
  try {
    await provePort(http.host, http.port);
  } catch (error) {
    if (!(await isPonteAt(http.host, http.port))) throw error;
    throw new CommandFailed(
      `port ${http.port} on ${http.host} is in use by another Ponte: stop that one, or set PORT to another number (and DATA_DIR to another folder)`,
      { cause: error },
    );
  }
}

/**
 * The first signal to stop. Ctrl-C reaches a process twice when a parent passes it on; a later one
 * means that the operator does not want to wait, and ends the process at once.
 */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let since: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        since ??= systemClock.monotonic();
        if (systemClock.monotonic() - since > SAME_SIGNAL_MS) process.exit(1);
        resolve(signal);
      });
    }
  });
}

async function drain(app: App, signal: NodeJS.Signals, withinMs: number, log: Log): Promise<void> {
  log.info({ signal, withinMs }, 'stopping');
  const handOverMs = Math.max(withinMs / 2, withinMs - END_MS);
  // The wait alone does not keep the process alive; whatever is still closing does.
  const closed = app
    .handOver(handOverMs)
    .then(() => app.close())
    .then(() => true);
  if (!(await within(systemClock, closed, withinMs)))
    log.warn({ afterMs: withinMs }, 'not everything ended in time; what was accepted is sent after the next start');
  log.info({}, 'stopped');
}
