// npm that is told to end passes that on to the shell it started, which dies without a word to what
// runs in it. So a task that npm runs watches npm, and ends in order when npm is gone. A task
// started by hand (nohup, a shell that is closed) has no npm and watches no process. No
// dependencies, and readable for old versions of Node.
import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 1_000;
const END_WITHIN_MS = 15_000;

/** Ends this process as SIGTERM does when the npm that runs it, as this task, is gone. */
export function endWithNpm(task) {
  const script = process.env.npm_lifecycle_script;
  const isGone = npmWatch({ task, script, parent: () => process.ppid, ofProcess });
  if (isGone === undefined) return;
  const timer = setInterval(() => {
    if (!isGone()) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_WITHIN_MS).unref();
  }, LOOK_EVERY_MS);
  timer.unref();
}

/**
 * Tells whether npm is gone; undefined when this is no script of npm. What surrounds a process is
 * handed down to all that it starts: the text of the script proves that it is this very one.
 */
export function npmWatch({ task, script, parent, ofProcess }) {
  if (!script?.endsWith(`scripts/launch.mjs ${task}`)) return undefined;
  const shell = parent();
  // npm puts a shell between itself and the script, unless that shell became the script.
  const isShell = ofProcess(shell)?.args.some((arg) => arg.startsWith(script)) ?? false;
  const npm = isShell ? ofProcess(shell)?.parent : undefined;
  return () => parent() !== shell || (npm !== undefined && ofProcess(shell)?.parent !== npm);
}

/** Parent and arguments of a process, where the system tells (Linux). */
function ofProcess(pid) {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    // Behind the name, which may hold anything: state, parent.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return { args, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) };
  } catch {
    return undefined;
  }
}
