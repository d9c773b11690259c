interface Lock {
  name?: string;
  version?: string;
  packages: Record<string, Record<string, unknown>>;
}
interface Advisory {
  name: string;
  from?: string;
  below?: string;
  exactly?: string[];
  why: string;
}
export function isNamedBy(advisory: Omit<Advisory, 'name' | 'why'>, version: string): boolean;
export function faultsOf(of: {
  lock: Lock;
  manifest: { allowScripts?: Record<string, boolean> };
  notice: string;
  advisories: { entries: Advisory[] };
}): string[];
export function contentFaults(processMessage: string): string[];
export function sbomOf(lock: Lock): { components: { name: string; purl: string; hashes?: { content: string }[] }[] };
