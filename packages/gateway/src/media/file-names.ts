/** Types of documents by the ending of their names: what senders mostly send (IANA media types). */
const TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  txt: 'text/plain',
  md: 'text/markdown',
  html: 'text/html',
  htm: 'text/html',
  xml: 'application/xml',
  json: 'application/json',
  ics: 'text/calendar',
  vcf: 'text/vcard',
  svg: 'image/svg+xml',
  pdf: 'application/pdf',
  rtf: 'application/rtf',
  doc: 'application/msword',
  xls: 'application/vnd.ms-excel',
  ppt: 'application/vnd.ms-powerpoint',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  odt: 'application/vnd.oasis.opendocument.text',
  ods: 'application/vnd.oasis.opendocument.spreadsheet',
  odp: 'application/vnd.oasis.opendocument.presentation',
  epub: 'application/epub+zip',
  apk: 'application/vnd.android.package-archive',
  zip: 'application/zip',
  gz: 'application/gzip',
  '7z': 'application/x-7z-compressed',
  rar: 'application/vnd.rar',
  tar: 'application/x-tar',
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  heic: 'image/heic',
  tiff: 'image/tiff',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
};

const ENDINGS = new Map(
  Object.entries(TYPES)
    .map(([ending, type]) => [type, ending])
    .toReversed() as [string, string][],
);

const endingOf = (name: string | undefined): string | undefined =>
  /\.([A-Za-z0-9]{1,8})$/.exec(name ?? '')?.[1]?.toLowerCase();

/** The type that a name promises; undefined when it promises none. */
export function typeByName(name: string | undefined): string | undefined {
  const ending = endingOf(name);
  return ending !== undefined && Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined;
}

/** The name with the ending of its type, when it has none of its own. */
export function withEnding(name: string, mimeType: string): string {
  const ending = ENDINGS.get(mimeType.split(';', 1)[0]?.trim() ?? '');
  return ending === undefined || endingOf(name) !== undefined ? name : `${name}.${ending}`;
}

/** Name of a document that came without one: `document.pdf`. */
export const defaultName = (mimeType: string): string => withEnding('document', mimeType);
