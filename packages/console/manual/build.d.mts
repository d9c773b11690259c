export interface ManualPage {
  /** Its place in the repository. */
  file: string;
  address: string;
  title: string;
  headings: { id: string; text: string; depth: number }[];
  /** As written, and where it leads; undefined when that is no page of the manual. */
  links: { href: string; target: string | undefined }[];
}
export function readManual(): { pages: ManualPage[] };
export function buildManual(dist: string): number;
