const PATIENCE_MS = 10_000;

/**
 * Waits for a condition, looking again at every turn of the event loop; fails loudly when it never
 * holds.
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise<void>((resolve) => setTimeout(resolve, 2));
  }
}
