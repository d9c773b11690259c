import type { MachineProblemKind } from '../../core/problems.ts';
import { CLOCK_OFF_MS, type ClockCheck } from './clock-check.ts';

const MEBIBYTE = 1_048_576;
/** Below this much the database may soon take nothing. */
const LOW_DISK_BYTES = 1_024 * MEBIBYTE;
const EMPTY_DISK_BYTES = 256 * MEBIBYTE;

/** What the machine can be asked. */
export interface Machine {
  /** Free bytes where the data is; undefined where it cannot be determined. */
  freeDiskBytes?(): Promise<number | undefined>;
  clockCheck?: Pick<ClockCheck, 'read'>;
}

export interface MachineReport {
  /** Free bytes where the data is, when they run low. */
  disk: { freeBytes: number; isEmpty: boolean } | null;
  /** How far the clock is off, when it is. */
  clock: { offsetMs: number; source: string } | null;
}

/** What is wrong with the machine now. */
export async function lookAtMachine({ freeDiskBytes, clockCheck }: Machine): Promise<MachineReport> {
  const [freeBytes, offset] = await Promise.all([freeDiskBytes?.(), clockCheck?.read()]);
  const isLow = freeBytes !== undefined && freeBytes < LOW_DISK_BYTES;
  const isOff = offset !== undefined && Math.abs(offset.offsetMs) >= CLOCK_OFF_MS;
  return {
    disk: isLow ? { freeBytes, isEmpty: freeBytes < EMPTY_DISK_BYTES } : null,
    clock: isOff ? offset : null,
  };
}

/** The same as problems to keep. */
export const machineProblems = ({ disk, clock }: MachineReport): { kind: MachineProblemKind; reason: string }[] => [
  ...(disk ? [{ kind: 'disk_low' as const, reason: disk.isEmpty ? 'empty' : 'low' }] : []),
  ...(clock ? [{ kind: 'clock_off' as const, reason: clock.offsetMs > 0 ? 'ahead' : 'behind' }] : []),
];
