import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createSimulator } from '@ponte/simulator';
import { processEnvironment } from '../config/environment.ts';
import { Reader } from '../config/reader.ts';
import { sandboxTokenOf } from '../config/sandbox-settings.ts';
import { CommandFailed, type Output, print, UsageError } from './output.ts';

export interface SandboxGiven {
  host: string;
  port: string;
  dataFile?: string;
  seed?: string;
  caFile?: string;
  json?: boolean;
}

/** Where a world of this name is found; every name is a world of its own. */
const WORLD = 'my-world';

/**
 * Runs the simulated network alone until SIGINT or SIGTERM: for clients other than this gateway.
 */
export async function runSandbox(given: SandboxGiven, out: Output): Promise<void> {
  const port = /^\d{1,5}$/.test(given.port) ? Number(given.port) : Number.NaN;
  if (!(port >= 0 && port < 65_536)) throw new UsageError('--port takes a number from 0 to 65535');
  const controlToken = sandboxTokenOf(new Reader(processEnvironment()));
  const simulator = await createSimulator({
    host: given.host,
    port,
    ...(controlToken === undefined ? {} : { controlToken }),
    ...(given.dataFile === undefined ? {} : { dataFile: given.dataFile }),
    ...(given.seed === undefined ? {} : { seed: given.seed }),
  }).catch((cause: Error) => {
    throw new CommandFailed(`the sandbox cannot start on ${given.host}:${port}: ${cause.message}`);
  });
  const authority = new URL(simulator.wsUrl(WORLD, 'x')).host;
  const facts = {
    websocket: `ws://${authority}/t/WORLD/ws/chat?line=LINE`,
    control: `http://${authority}/control/WORLD`,
    control_token: simulator.controlToken,
    noise_root_public_key: Buffer.from(simulator.noiseRootPublicKey).toString('hex'),
    media: `https://${given.host}:${simulator.mediaPort}`,
    media_ca_pem: simulator.mediaCaPem,
  };
  if (given.caFile !== undefined) writeFileSync(given.caFile, simulator.mediaCaPem);
  print(out, given.json, facts, () => text(facts, given));
  out.say('Ctrl-C ends it.');
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await simulator.close();
}

function text(facts: Record<string, string>, given: SandboxGiven): string {
  const ca = given.caFile === undefined ? 'give --ca-file FILE to have it written' : given.caFile;
  return `A WhatsApp network runs here. Put a name of yours for WORLD (each is a world of its own) and an id of yours for LINE.

  Clients connect to     ${facts.websocket}
  and must trust         ${facts.noise_root_public_key}
                         (the public key that signs its Noise certificates)
  Media host             ${facts.media}
  and its authority      ${ca}
  Sandbox API            ${facts.control}/phones …
  with the header        Authorization: Bearer ${facts.control_token}
  World is kept in       ${given.dataFile ?? 'memory: it is gone at the end'}

curl -sS ${facts.control?.replace('WORLD', WORLD)}/phones -H 'Authorization: Bearer ${facts.control_token}' -d '{"phone":"15550001111","name":"Alice"}'`;
}
