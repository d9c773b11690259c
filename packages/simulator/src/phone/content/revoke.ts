import { PROTOCOL } from '../wa-proto.ts';
import type { ChangeKind } from './change.ts';
import { InputError } from './input.ts';

const REVOKE = PROTOCOL.revoke;

/** `{to, message_id}`: deletes an own message for everyone. */
export const revoke: ChangeKind = {
  build(_input, target, { key }) {
    if (!target.fromMe) throw new InputError('message_id', 'must be a message that this phone sent');
    return { message: { protocolMessage: { type: REVOKE, key } }, shape: { type: 'text', edit: '7' } };
  },
  apply(message, envelope, { inbox }) {
    const { protocolMessage } = message;
    // REVOKE is 0, which a protobuf may leave out; a revocation is a key and nothing else.
    if (!protocolMessage?.key?.id || (protocolMessage.type ?? REVOKE) !== REVOKE) return false;
    inbox.update(envelope.chat, protocolMessage.key.id, (entry) => {
      if (entry.from !== envelope.from) return entry;
      const { raw: _raw, ...rest } = entry;
      return { ...rest, isRevoked: true, content: { type: entry.content.type } };
    });
    return true;
  },
};
