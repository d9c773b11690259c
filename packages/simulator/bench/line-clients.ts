import { randomBytes } from 'node:crypto';
import { RawClient } from '../test/raw-client.ts';

/** What the bench tells the process with the clients. */
export type ClientOrder =
  | { do: 'connect'; lines: { pn: string; url: string; publicKey: string; privateKey: string }[] }
  | { do: 'write'; perLine: number };

export interface ClientReport {
  count: number;
  ms: number;
  /** Stanzas that the clients sent and received. */
  sent: number;
  received: number;
}

const AT_ONCE = 20;
/** Messages a line has on the way at most: as a client that waits for its acks. */
const WINDOW = 4;
const BODY = randomBytes(250);

const clients: { pn: string; client: RawClient }[] = [];

async function connect(lines: Extract<ClientOrder, { do: 'connect' }>['lines']): Promise<ClientReport> {
  const startedMs = performance.now();
  for (let i = 0; i < lines.length; i += AT_ONCE) {
    const opened = lines.slice(i, i + AT_ONCE).map(async ({ pn, url, publicKey, privateKey }) => {
      const noiseKey = { publicKey: Buffer.from(publicKey, 'hex'), privateKey: Buffer.from(privateKey, 'hex') };
      const client = await RawClient.connect(url, { username: Number(pn), device: 1, passive: false }, noiseKey);
      client.isForgetful = true;
      await new Promise<void>((resolve) => {
        client.onStanza = (node) => node.tag === 'ib' && resolve();
      });
      return { pn, client };
    });
    clients.push(...(await Promise.all(opened)));
  }
  return { count: clients.length, ms: performance.now() - startedMs, sent: 0, received: 0 };
}

/**
 * Every line writes to the next one; receivers send delivery receipts, authors acknowledge them.
 */
function write(perLine: number): Promise<ClientReport> {
  const startedMs = performance.now();
  const total = clients.length * perLine;
  const counts = { sent: 0, received: 0, acks: 0, messages: 0, receipts: 0 };
  return new Promise((resolve) => {
    const isDone = (): boolean => counts.acks === total && counts.messages === total && counts.receipts === total;
    for (const [index, { client }] of clients.entries()) {
      const to = clients[(index + 1) % clients.length]?.pn ?? '';
      let next = 0;
      const send = (node: Parameters<RawClient['send']>[0]): void => {
        counts.sent += 1;
        client.send(node);
      };
      const writeNext = (): void => {
        if (next >= perLine) return;
        const enc = { tag: 'enc', attrs: { v: '2', type: 'msg' }, content: BODY };
        const copy = { tag: 'to', attrs: { jid: `${to}:1@s.whatsapp.net` }, content: [enc] };
        const attrs = { id: `M${index}X${next++}`, to: `${to}@s.whatsapp.net`, type: 'text' };
        send({ tag: 'message', attrs, content: [{ tag: 'participants', attrs: {}, content: [copy] }] });
      };
      client.onStanza = ({ tag, attrs }) => {
        counts.received += 1;
        const { id = '', from = '' } = attrs;
        if (tag === 'message') {
          counts.messages += 1;
          send({ tag: 'receipt', attrs: { id, to: from } });
        } else if (tag === 'receipt') {
          counts.receipts += 1;
          send({ tag: 'ack', attrs: { class: 'receipt', id, to: from } });
        } else if (tag === 'ack' && attrs.class === 'message') {
          counts.acks += 1;
          writeNext();
        }
        if (isDone()) {
          const { sent, received } = counts;
          resolve({ count: total, ms: performance.now() - startedMs, sent, received });
        }
      };
      for (let i = 0; i < WINDOW; i++) writeNext();
    }
  });
}

process.on('message', (order: ClientOrder) => {
  const work = order.do === 'connect' ? connect(order.lines) : write(order.perLine);
  work.then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
