/** Where the file of a message is downloaded, with an API key. */
export function mediaUrl(publicUrl: string, lineId: string, messageId: string): string {
  return `${publicUrl}/api/bridge/v1/messages/${encodeURIComponent(messageId)}/media?line_id=${encodeURIComponent(lineId)}`;
}
