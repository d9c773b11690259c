/** What is known of a process: undefined when it is gone, or the system does not tell. */
export type ProcessFacts = { args: string[]; parent: number } | undefined;

export interface WatchParts {
  /** The task that this process does. */
  task: string;
  /** The text of the npm script that runs, if one does. */
  script: string | undefined;
  /** The parent of this process now. */
  parent(): number;
  ofProcess(pid: number): ProcessFacts;
}

export function endWithNpm(task: string): void;
export function npmWatch(parts: WatchParts): (() => boolean) | undefined;
