let isInstalled = false;

/**
 * The clients leave timers behind (Baileys: 30 s per pre-key upload, 20 s waiting for history).
 * From here on theirs do not keep the process alive, so that they do not look like leaks of ours.
 */
export function letClientTimersGo(): void {
  if (isInstalled) return;
  isInstalled = true;
  const startTimer = globalThis.setTimeout;
  const start = (work: (...args: unknown[]) => void, delayMs?: number, ...args: unknown[]): NodeJS.Timeout => {
    const timer = startTimer(work, delayMs, ...args);
    if (/\/node_modules\/(baileys|zapo-js)\//.test(new Error().stack ?? '')) timer.unref();
    return timer;
  };
  globalThis.setTimeout = Object.assign(start, startTimer) as typeof setTimeout;
}
