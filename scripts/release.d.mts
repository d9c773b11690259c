export class ReleaseError extends Error {}
export function changelogOf(text: string, version: string, dated: string): string;
export function planRelease(root: string, version: string, dated: string): Map<string, string>;
export function release(
  root: string,
  version: string,
  options: {
    mode?: 'release' | 'prepare' | 'dry-run';
    today: string;
    checks?: readonly string[];
    say?: (line: string) => void;
  },
): void;
