/** Members whose values hold what a person wrote, who they are, or a secret. */
const HIDDEN =
  /text|message$|body|caption|title|description|question|option|name|label|subject|note|emoji|address|phone|jid|^to$|^from$|chat|participant|contact|mention|number|secret|token|key|password|authori[sz]ation|cookie|header|code|qr|link|url|data|file|thumbnail|vcard|lat|lng/i;
/** Members that look like those, and name a thing of ours. */
const SHOWN = /^(?:line_id|message_id|event_id|webhook_id|delivery_id|error|status_code|whatsapp_code|filename_kind)$/;
const MAX_DEPTH = 6;
const MAX_MEMBERS = 50;
const MAX_TEXT = 200;

/**
 * The shape of a body: names, numbers that are no content, states and ids. A text that may be
 * personal is shown by its length only.
 */
export function redacted(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((one) => redacted(one, depth + 1));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .slice(0, MAX_MEMBERS)
        .map(([name, member]) => [
          name,
          HIDDEN.test(name) && !SHOWN.test(name) ? hidden(member, depth + 1) : redacted(member, depth + 1),
        ]),
    );
  }
  return typeof value === 'string' && value.length > MAX_TEXT ? hidden(value, depth) : value;
}

function hidden(value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return `[${value.length} characters]`;
  if (Array.isArray(value)) return `[${value.length} entries]`;
  return typeof value === 'object' && depth <= MAX_DEPTH ? redactedAll(value, depth + 1) : '[a number]';
}

/** Everything below a hidden member is hidden, whatever it is called. */
const redactedAll = (value: object, depth: number): unknown =>
  Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_MEMBERS)
      .map(([name, member]) => [name, hidden(member, depth)]),
  );
