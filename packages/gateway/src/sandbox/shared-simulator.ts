import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../observe/logger.ts';
import type { SimulatorAddress } from './simulator-process.ts';

export interface SharedSimulator {
  /** As it said last; undefined before it said anything. */
  address(): SimulatorAddress | undefined;
  /** It answered the last time it was asked. */
  readonly isUp: boolean;
  close(): void;
}

const ANSWER_WITHIN_MS = 5_000;
/** How long a start waits for it. */
const READY_WITHIN_MS = 20_000;
const RETRY_MS = 1_000;
/** A network that was started again without its file has other keys. */
const ASK_EVERY_MS = 15_000;

/**
 * A simulated network that runs elsewhere, for all nodes of a fleet (`ponte sandbox`). Resolves
 * when it said who it is, or after a while without its answer: test lines connect later then.
 * Rejects with an AppError when it does not take the token.
 */
export async function connectSharedSimulator(options: {
  /** Without a trailing slash. */
  url: string;
  token: string;
  clock: Clock;
  log: Log;
}): Promise<SharedSimulator> {
  const { url, token, clock, log } = options;
  let address: SimulatorAddress | undefined;
  let isUp = false;
  let isClosed = false;
  let cancel = () => {};

  async function ask(): Promise<void> {
    try {
      address = await askOnce(url, token);
      if (!isUp) log.info({ url }, 'the simulated network is there');
      isUp = true;
    } catch (error) {
      if (isUp) log.warn({ error, url }, 'the simulated network does not answer; it is asked again and again');
      isUp = false;
      if (error instanceof AppError) throw error;
    }
  }
  function again(): void {
    if (isClosed) return;
    const waitMs = (isUp ? ASK_EVERY_MS : RETRY_MS) * (0.75 + clock.random() / 2);
    cancel = clock.after(waitMs, () => {
      ask()
        .catch((error: unknown) => log.warn({ error, url }, 'the simulated network refuses the token'))
        .finally(again);
    });
  }

  const until = clock.monotonic() + READY_WITHIN_MS;
  for (await ask(); !isUp && clock.monotonic() < until; await ask()) await clock.sleep(RETRY_MS);
  if (!isUp) log.warn({ url }, 'the simulated network does not answer; test lines connect when it does');
  again();
  return {
    address: () => address,
    get isUp() {
      return isUp;
    },
    close() {
      isClosed = true;
      cancel();
    },
  };
}

interface NetworkFacts {
  noise_root_public_key: string;
  media_ca_pem: string;
  media_port: number;
}

async function askOnce(url: string, token: string): Promise<SimulatorAddress> {
  const response = await fetch(`${url}/network`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    redirect: 'error',
  });
  if (response.status === 401) {
    const message = `the simulated network at ${url} does not take SANDBOX_TOKEN: give both the same one`;
    throw new AppError('unauthorized', {}, { message });
  }
  if (!response.ok) throw new Error(`${url} answered HTTP ${response.status}`);
  const facts = (await response.json()) as NetworkFacts;
  return {
    baseUrl: url,
    mediaAddress: `${new URL(url).hostname}:${facts.media_port}`,
    noiseRoot: Buffer.from(facts.noise_root_public_key, 'hex'),
    mediaCa: facts.media_ca_pem,
    controlToken: token,
  };
}
