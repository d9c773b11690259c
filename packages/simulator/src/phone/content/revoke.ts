import { isGroup } from '@ponte/engine';
import { PROTOCOL } from '../wa-proto.ts';
import type { ChangeKind } from './change.ts';
import { InputError } from './input.ts';

const REVOKE = PROTOCOL.revoke;

/**
 * What a stanza says of a revocation: of an own message, or by an admin of another member's
 * (Baileys messages-send.js).
 */
const BY_AUTHOR = '7';
const BY_ADMIN = '8';

/**
 * `{to, message_id}`: deletes an own message for everyone, or any message as an admin of a group.
 * The server checks whether the sender is an admin, and does not pass on a revocation otherwise.
 */
export const revoke: ChangeKind = {
  build(_input, target, { key }) {
    if (!target.fromMe && !isGroup(target.chat)) {
      throw new InputError('message_id', 'must be a message that this phone sent');
    }
    const edit = target.fromMe ? BY_AUTHOR : BY_ADMIN;
    return { message: { protocolMessage: { type: REVOKE, key } }, shape: { type: 'text', edit } };
  },
  apply(message, envelope, { inbox }) {
    const { protocolMessage } = message;
    // REVOKE is 0, which a protobuf may leave out; a revocation is a key and nothing else.
    if (!protocolMessage?.key?.id || (protocolMessage.type ?? REVOKE) !== REVOKE) return false;
    inbox.update(envelope.chat, protocolMessage.key.id, (entry) => {
      const isByAdmin = envelope.edit === BY_ADMIN && isGroup(envelope.chatJid);
      if (entry.from !== envelope.from && !isByAdmin) return entry;
      const { raw: _raw, ...rest } = entry;
      return { ...rest, isRevoked: true, content: { type: entry.content.type } };
    });
    return true;
  },
};
