import type { Row } from '../phone/durable-list.ts';
import type { InboxEntry } from '../phone/inbox.ts';

/** A message of an inbox in the words of the sandbox API. `cursor` is what `?after=` takes. */
export function inboxItem({ seq, value }: Row<InboxEntry>): Record<string, unknown> {
  const { content } = value;
  return {
    cursor: seq,
    message_id: value.messageId,
    chat: value.chat,
    from: value.from,
    from_me: value.fromMe,
    timestamp: value.timestamp,
    ...(value.pushName === undefined ? {} : { push_name: value.pushName }),
    type: content.type,
    ...(content.body === undefined ? {} : { body: content.body }),
    ...content.fields,
    ...(value.fileState === undefined ? {} : { file: value.fileState, ...captionOf(content.body) }),
    status: value.status,
    ...(value.errorCode === undefined ? {} : { error_code: value.errorCode }),
    edited: value.isEdited,
    revoked: value.isRevoked,
    reactions: value.reactions,
    ...(content.type === 'poll' ? { votes: value.votes } : {}),
    ...(content.type === 'event' ? { responses: value.answers.map(responseItem) } : {}),
    ...(value.receipts ? { receipts: value.receipts } : {}),
    copies: value.copies,
  };
}

function captionOf(body: string | undefined): Record<string, string> {
  return body === undefined ? {} : { caption: body };
}

function responseItem(answer: InboxEntry['answers'][number]): Record<string, unknown> {
  return { from: answer.from, response: answer.response, extra_guest_count: answer.extraGuestCount };
}
