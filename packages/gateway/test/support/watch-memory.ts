import { readFileSync } from 'node:fs';

/** Looks at the resident memory of processes; the answer is how much each grew at most, in MiB. */
export function watchMemory(pids: number[]): () => number[] {
  const resident = (pid: number) => {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib) / 1_024;
  };
  const before = pids.map(resident);
  const most = [...before];
  const look = () => {
    for (const [index, pid] of pids.entries()) most[index] = Math.max(most[index] ?? 0, resident(pid));
  };
  const timer = setInterval(look, 20);
  return () => {
    clearInterval(timer);
    look();
    return most.map((mib, index) => Math.round(mib - (before[index] ?? 0)));
  };
}
