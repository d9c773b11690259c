/** What goes through the API as one JSON body. */
export const MAX_FILE_BYTES = 10_000_000;

/** A file as a message: its kind by its type, its bytes in base64. */
export async function fileMessage(file: File): Promise<Record<string, string>> {
  return { ...kindOf(file), data: await base64Of(file) };
}

function kindOf(file: File): Record<string, string> {
  const [family] = file.type.split('/');
  const type = family === 'image' || family === 'video' || family === 'audio' ? family : 'document';
  return {
    type,
    mime_type: file.type || 'application/octet-stream',
    ...(type === 'document' ? { filename: file.name } : {}),
  };
}

async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (let from = 0; from < bytes.length; from += 32_768)
    text += String.fromCharCode(...bytes.subarray(from, from + 32_768));
  return btoa(text);
}
