import { isSelf, packNode, type Self } from '@ponte/engine';
import {
  type AuthenticationCreds,
  DEFAULT_CONNECTION_CONFIG,
  proto,
  type SignalRepositoryWithLIDStore,
  type SocketConfig,
  unpadRandomMax16,
} from '../baileys.ts';
import { describeError } from '../library-log.ts';
import type { KeyTransactions } from '../store/key-transactions.ts';
import type { StoreGuard } from '../store/store-guard.ts';
import type { GuardedLidMapping } from './guarded-lid-mapping.ts';
import { type CiphertextSource, envelopeHash, type StanzaLinks, withoutCiphertext } from './stanza-links.ts';

/**
 * What Baileys gets for an envelope whose events were journaled long ago: an empty message, padded.
 * It makes Baileys acknowledge the redelivery and has no other effect, since nothing is read from
 * Baileys' events.
 */
const PROCESSED = Buffer.of(1);

export interface SealingParts {
  creds: AuthenticationCreds;
  guard: StoreGuard;
  keys: KeyTransactions;
  links: StanzaLinks;
  lidMapping: GuardedLidMapping;
  logger: SocketConfig['logger'];
  self(): Self | undefined;
}

/**
 * The Signal repository with the guarantee Baileys lacks: session, used pre-key, sender keys and
 * the decrypted envelope are durable in one commit before Baileys gets the plaintext, and therefore
 * before any receipt leaves. A redelivery gets the stored plaintext and moves no ratchet. A
 * ciphertext that cannot be decrypted is journaled before Baileys asks for another.
 */
export function makeSealingRepository(parts: SealingParts): SignalRepositoryWithLIDStore {
  const { keys, links, lidMapping } = parts;
  const inner = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
    { creds: parts.creds, keys },
    parts.logger,
    async () => undefined,
  );
  return {
    ...inner,
    lidMapping,
    decryptMessage: (message) =>
      openOnce(message.type, message.jid, message.ciphertext, () => inner.decryptMessage(message)),
    decryptGroupMessage: (message) =>
      openOnce(`skmsg|${message.group}`, message.group, message.msg, () => inner.decryptGroupMessage(message)),
    // Done while the envelope was sealed; doing it again on a redelivery would rewind the sender's
    // chain.
    processSenderKeyDistributionMessage: async () => {},
    close: () => {
      inner.close?.();
      lidMapping.close();
    },
  };

  async function openOnce(
    kind: string,
    lock: string,
    ciphertext: Uint8Array,
    decrypt: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const source = links.of(ciphertext);
    const hash = envelopeHash(kind, source.author, ciphertext);
    try {
      return await keys.transaction(async () => {
        const known = await parts.guard.findSealed(hash);
        if (known) return known.plaintext.length === 0 ? PROCESSED : known.plaintext;
        const plaintext = await decrypt();
        await keepDistributedKeys(parts, inner, source, plaintext);
        const stanza = packNode(withoutCiphertext(source.stanza));
        keys.seal({ hash, stanza, encIndex: source.encIndex, plaintext: Uint8Array.from(plaintext) });
        return plaintext;
      }, lock);
    } catch (cause) {
      await parts.guard.appendStanza({
        stanza: packNode(withoutCiphertext(source.stanza)),
        tag: 'message',
        failure: { cause: 'decryption_failed', detail: describeError(cause) },
      });
      throw cause;
    }
  }
}

/**
 * Keys inside the message become durable with it: a crash right after must not leave a sealed
 * message whose keys are lost.
 */
async function keepDistributedKeys(
  { keys, self, logger }: SealingParts,
  inner: SignalRepositoryWithLIDStore,
  source: CiphertextSource,
  plaintext: Uint8Array,
): Promise<void> {
  try {
    const outer = proto.Message.decode(unpadRandomMax16(plaintext));
    const message = outer.deviceSentMessage?.message ?? outer;
    const item = message.senderKeyDistributionMessage;
    if (item) await inner.processSenderKeyDistributionMessage({ authorJid: source.author, item });
    const shared = message.protocolMessage?.appStateSyncKeyShare?.keys ?? [];
    const me = self();
    if (shared.length === 0 || !me || !isSelf(source.stanza.attrs.from, me)) return;
    const shares = shared.flatMap(({ keyId, keyData }) =>
      keyId?.keyId && keyData ? [[Buffer.from(keyId.keyId).toString('base64'), keyData]] : [],
    );
    await keys.set({ 'app-state-sync-key': Object.fromEntries(shares) });
  } catch (error) {
    // The envelope is worth keeping even when what it distributes is malformed; decoding will say
    // the same.
    logger.warn({ error }, 'keys distributed in a message could not be taken');
  }
}
