import { AUTH_TTL_S, CONN_TTL_S } from '../../media/media-network.ts';
import { UPLOAD_MAX_BYTES } from '../../media/media-store.ts';
import { el } from '../stanzas.ts';
import { type IqHandler, IqRefusal, type IqRequest } from './iq-handler.ts';

/**
 * `<iq xmlns="w:m"><media_conn/>`: where media go, and the right to put them there (shape:
 * whatsmeow mediaconn.go, Baileys refreshMediaConn).
 */
export const mediaHandlers: IqHandler[] = [{ xmlns: 'w:m', type: 'set', child: 'media_conn', answer: connect }];

function connect({ tenant, from }: IqRequest) {
  const hosts = tenant.media.hosts();
  if (hosts.length === 0) throw new IqRefusal(503, 'service-unavailable');
  const attrs = {
    auth: tenant.media.token(from.lineId),
    auth_ttl: String(AUTH_TTL_S),
    ttl: String(CONN_TTL_S),
    max_buckets: '12',
    max_manual_retry: '3',
    max_auto_download_retry: '3',
  };
  const content = hosts.map((hostname, index) =>
    el('host', {
      hostname,
      type: index === 0 ? 'primary' : 'fallback',
      class: 'mms',
      maxContentLengthBytes: String(UPLOAD_MAX_BYTES),
    }),
  );
  return { content: [el('media_conn', attrs, content)] };
}
