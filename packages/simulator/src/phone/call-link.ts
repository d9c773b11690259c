import { child, type Jid, type Node } from '@ponte/engine';
import type { DeviceLink } from './network.ts';

const PAGE = 'https://call.whatsapp.com';
const CALLS: Jid = '@call';

/**
 * Draws a link to a call that begins at `startAt` (seconds since 1970), as the invitation to an
 * event carries it (Baileys chats.js, createCallLink). Rejects with IqError when the server gives
 * none.
 */
export async function callLink(
  link: DeviceLink,
  id: string,
  media: 'voice' | 'video',
  startAt: number,
): Promise<string> {
  const event: Node = { tag: 'event', attrs: { start_time: String(startAt) } };
  const create: Node = {
    tag: 'link_create',
    attrs: { media: media === 'voice' ? 'audio' : 'video' },
    content: [event],
  };
  const answer = await link.query({ tag: 'call', attrs: { id, to: CALLS }, content: [create] });
  return `${PAGE}/${media}/${child(answer, 'link_create')?.attrs.token ?? ''}`;
}
