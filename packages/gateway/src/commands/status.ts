import { isLid, isPn, type Jid, STATUS_BROADCAST } from '@ponte/engine';
import type { IdempotentRequest } from '../access/idempotency.ts';
import { AppError } from '../core/app-error.ts';
import type { Line } from '../core/lines.ts';
import { listAddressBook } from '../store/contacts.ts';
import type { SendCommand } from './command.ts';
import type { Context } from './context.ts';
import { ask } from './people.ts';
import { acceptFile, type FileSource, type FileWish } from './send-file.ts';
import { acceptSend, requireSendable, type SendInput, type Sent, settleSend } from './sends.ts';

/** A text, or a picture or video. */
export type StatusContent = { text: string } | { source: FileSource; wish: FileWish };

export type SendStatusInput = Omit<SendInput, 'to' | 'content' | 'archivePolicy'> & { content: StatusContent };

/** People that one status is encrypted for. */
const AUDIENCE_MAX = 4_000;

/** Publishes a status to those whom the account's privacy settings name. `media_rejected` for what is neither picture nor video. */
export const sendStatus: SendCommand<SendStatusInput, Sent> = {
  on: 'send',
  scope: 'messages:send',
  accept: acceptStatus,
  settle: settleSend,
  isWaiting: (sent) => sent.state === 'queued',
};

async function acceptStatus(
  context: Context,
  line: Line,
  { content, ...send }: SendStatusInput,
  once?: IdempotentRequest,
): Promise<string> {
  requireSendable(context, line, false);
  const audience = await audienceOf(context, line);
  const to = STATUS_BROADCAST;
  if ('text' in content) {
    const text = { kind: 'text', body: content.text, context: { audience } } as const;
    return acceptSend(context, line, { ...send, to, content: text }, once);
  }
  return acceptFile(context, line, { ...send, to, ...content, context: { audience } }, once);
}

/**
 * Who may see a status, by the list in force (whatsmeow broadcast.go): everybody in the address book of the phone, the same without some, or some only. Who
 * merely wrote is no contact. `validation_error` when nobody would see it.
 */
async function audienceOf(context: Context, line: Line): Promise<Jid[]> {
  const lists = await ask(context, line, 'account.statusAudience', {});
  const inForce = lists.find(({ isDefault }) => isDefault);
  const listed = new Set(inForce?.people ?? []);
  if (inForce?.type === 'whitelist') return bounded([...listed]);
  const contacts = await listAddressBook(context.store.db, line.id);
  const isHidden = (jids: (Jid | undefined)[]) =>
    inForce?.type === 'blacklist' && jids.some((jid) => jid !== undefined && listed.has(jid));
  return bounded(
    contacts.flatMap(({ jid, lid, pn }) => {
      const address = lid ?? pn ?? jid;
      return (isPn(address) || isLid(address)) && !isHidden([jid, lid, pn]) ? [address] : [];
    }),
  );
}

function bounded(people: Jid[]): Jid[] {
  if (people.length > 0) return people.slice(0, AUDIENCE_MAX);
  const message =
    'Nobody would see this status: the address book of the phone is empty or not known yet, or its privacy settings leave nobody.';
  throw new AppError('validation_error', { details: [{ path: '', message }] }, { message });
}
