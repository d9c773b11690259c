/** Headers an owner may not set: those that frame the request, and ours. */
const RESERVED = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'user-agent',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'x-delivery-id',
  'x-delivery-attempt',
  'x-customer-ref',
  'traceparent',
]);
const RESERVED_PREFIX = 'x-wazion-bridge-';
const MAX_HEADERS = 20;
const MAX_VALUE_LENGTH = 1_024;
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const VALUE = /^[\t\x20-\x7e]*$/;

/**
 * What is wrong with an owner's headers, naming the header and the remedy; undefined when nothing
 * is.
 */
export function customHeadersProblem(headers: Record<string, string>): string | undefined {
  const names = Object.keys(headers);
  if (names.length > MAX_HEADERS) return `at most ${MAX_HEADERS} headers are allowed`;
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!NAME.test(name)) return `"${name}" is not a header name`;
    if (RESERVED.has(lower) || lower.startsWith(RESERVED_PREFIX))
      return `"${name}" is set by the gateway itself; choose another`;
    if (value.length > MAX_VALUE_LENGTH || !VALUE.test(value)) {
      return `the value of "${name}" must be at most ${MAX_VALUE_LENGTH} printable ASCII characters`;
    }
  }
  if (new Set(names.map((name) => name.toLowerCase())).size !== names.length) return 'a header is named twice';
  return undefined;
}
