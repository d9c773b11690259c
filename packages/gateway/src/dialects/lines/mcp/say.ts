import type { Json } from './json.ts';

/** Sentences on answers. They hold facts of ours alone: nothing that other people wrote. */
export const counted =
  (field: string, one: string, many = `${one}s`) =>
  (answer: Json): string => {
    const items = answer[field];
    const count = Array.isArray(items) ? items.length : 0;
    const more = answer.next_cursor || answer.next_before ? ' There are more: see next_cursor or next_before.' : '';
    return `${count === 0 ? 'No' : count} ${count === 1 ? one : many}.${more}`;
  };

export const sent = (answer: Json): string => {
  if (answer.status === 'pending') {
    return `It was sent, but the line was lost before WhatsApp confirmed it: it may have arrived. Do not send it again. message_id ${String(answer.message_id)}; bridge_get_message tells what became of it.`;
  }
  return answer.status === 'sent'
    ? `Sent to ${String(answer.to)}; WhatsApp has it. message_id ${String(answer.message_id)}.`
    : `Accepted, not sent yet: it leaves by itself when its turn or time comes. Do not send it again. message_id ${String(answer.message_id)}; bridge_get_message tells how far it came.`;
};

export const lineStatus = (answer: Json): string =>
  `Line ${String(answer.line_id)} is ${String(answer.status)}${answer.phone ? ` as ${String(answer.phone)}` : ''}.`;

export const always = (sentence: string) => (): string => sentence;
