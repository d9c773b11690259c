import type { Jid } from '@ponte/engine';
import { resolveIssuanceJid, shouldSendNewTcToken, storeTcTokensFromIqResult, type WASocket } from '../baileys.ts';

/** What giving a token takes of Baileys' socket. */
export interface TokenSocket extends Pick<WASocket, 'issuePrivacyTokens' | 'serverProps'> {
  authState: { keys: WASocket['authState']['keys'] };
  signalRepository: {
    lidMapping: Pick<WASocket['signalRepository']['lidMapping'], 'getLIDForPN' | 'getPNForLID'>;
  };
}

/** The line's own token on its way to a person. */
export interface OwnToken {
  /** The message has left. Never rejects; the answer is not waited for. */
  give(): void;
  /** It has not: the next message gives it. */
  keepBack(): void;
}

/**
 * Who is written to gets the line's own token, once in seven days, after the message (as WhatsApp
 * Web does). Noted before the message leaves, because Baileys cannot: it writes the note into a key
 * transaction that is over by then (messages-send.js, `relayMessage`), so that without this every
 * single message gives the token again. Undefined: it was given.
 */
export async function ownTokenFor(sock: TokenSocket, to: Jid, nowSeconds: number): Promise<OwnToken | undefined> {
  const { keys } = sock.authState;
  const { lidMapping } = sock.signalRepository;
  const id = (await lidMapping.getLIDForPN(to)) ?? to;
  const noteAt = async (senderTimestamp: number | undefined) => {
    const entry = (await keys.get('tctoken', [id]))[id];
    const token = entry?.token ?? Buffer.alloc(0);
    await keys.set({ tctoken: { [id]: { ...entry, token, senderTimestamp } } });
  };
  const before = (await keys.get('tctoken', [id]))[id]?.senderTimestamp;
  if (!shouldSendNewTcToken(before)) return undefined;
  await noteAt(nowSeconds);
  let isOver = false;
  const once = (work: () => Promise<void>) => {
    if (isOver) return;
    isOver = true;
    // What fails here is made good by the next message.
    work().catch(() => {});
  };
  return {
    keepBack: () => once(() => noteAt(before)),
    give: () =>
      once(async () => {
        try {
          const person = await resolveIssuanceJid(
            id,
            sock.serverProps.lidTrustedTokenIssueToLid,
            (pn) => lidMapping.getLIDForPN(pn),
            (lid) => lidMapping.getPNForLID(lid),
          );
          const result = await sock.issuePrivacyTokens([person], nowSeconds);
          await storeTcTokensFromIqResult({
            ...{ result, fallbackJid: id, keys },
            getLIDForPN: (pn) => lidMapping.getLIDForPN(pn),
          });
        } catch {
          await noteAt(before);
        }
      }),
  };
}
