import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './config/config.ts';
import { systemClock } from './core/clock.ts';
import type { Log } from './observe/logger.ts';
import { connectSharedSimulator } from './sandbox/shared-simulator.ts';
import { type SimulatorAddress, startSimulatorProcess } from './sandbox/simulator-process.ts';

interface SimulatorParts {
  config: Config;
  log: Log;
  /** One that the caller brings. */
  simulator?: SimulatorAddress;
  onClose(close: () => unknown): void;
}

/** The simulated network of test lines: one that is given or shared, a process of ours, or none. */
export async function openSimulator({
  config,
  log,
  simulator,
  onClose,
}: SimulatorParts): Promise<() => SimulatorAddress | undefined> {
  if (simulator) return () => simulator;
  if (!config.sandbox.isOn) return () => undefined;
  if (config.sandbox.shared) {
    const shared = await connectSharedSimulator({ ...config.sandbox.shared, clock: systemClock, log });
    onClose(() => shared.close());
    return shared.address;
  }
  const dataFile = join(config.dataDir, config.sandbox.isEphemeral ? 'sandbox-ephemeral.db' : 'sandbox.db');
  if (config.sandbox.isEphemeral) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(dataFile + suffix, { force: true });
  }
  const entry = fileURLToPath(import.meta.resolve('@ponte/simulator/main'));
  const running = await startSimulatorProcess({ entry, dataFile, clock: systemClock, log });
  onClose(() => running.close());
  return running.address;
}
