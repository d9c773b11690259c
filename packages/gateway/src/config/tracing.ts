import type { SpanSettings } from '../observe/spans.ts';
import type { Reader } from './reader.ts';

const TRACES_PATH = 'v1/traces';
const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const;
const FOLLOWING = 'parentbased_';
const NAME_MAX = 255;

/**
 * Traces, by OpenTelemetry's own names (https://opentelemetry.io/docs/specs/otel/protocol/exporter/);
 * undefined: none are collected.
 */
export function tracingOf(read: Reader): SpanSettings | undefined {
  const url = receiverOf(read);
  const settings = {
    headers: headersOf(read),
    timeoutMs: read.integer('OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, 100, 60_000),
    serviceName: nameOf(read),
    ...samplingOf(read),
  };
  requireJson(read);
  const isOff = read.flag('OTEL_SDK_DISABLED', false) || url === undefined;
  return isOff ? undefined : { url, ...settings };
}

function nameOf(read: Reader): string {
  const name = read.text('OTEL_SERVICE_NAME') ?? 'ponte';
  if (name.length > NAME_MAX) throw read.wrong('OTEL_SERVICE_NAME', `a name of up to ${NAME_MAX} characters`);
  return name;
}

function receiverOf(read: Reader): string | undefined {
  const [own, base] = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;
  for (const name of [own, base]) {
    const value = read.text(name);
    if (value === undefined) continue;
    const isHttp = URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol);
    if (!isHttp) throw read.wrong(name, 'an address such as http://127.0.0.1:4318');
    return name === own ? value : `${value.replace(/\/+$/, '')}/${TRACES_PATH}`;
  }
  return undefined;
}

/** `name=value,name=value`; values may be percent-encoded. */
function headersOf(read: Reader): Record<string, string> {
  const name = 'OTEL_EXPORTER_OTLP_HEADERS';
  const headers: Record<string, string> = {};
  for (const entry of (read.text(name) ?? '').split(',').filter((one) => one.trim() !== '')) {
    const [, key, value] =
      /^\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)\s*$/.exec(entry) ?? [];
    const text = value === undefined ? undefined : decoded(value);
    if (key === undefined || text === undefined) throw read.wrongSecret(name, 'name=value,name=value');
    headers[key] = text;
  }
  return headers;
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function samplingOf(read: Reader): Pick<SpanSettings, 'ratio' | 'followsParent'> {
  const value = read.text('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  const followsParent = value.startsWith(FOLLOWING);
  const kind = followsParent ? value.slice(FOLLOWING.length) : value;
  const sampler = SAMPLERS.find((one) => one === kind);
  if (!sampler)
    throw read.wrong(
      'OTEL_TRACES_SAMPLER',
      `one of ${SAMPLERS.join(', ')}, or one of them with ${FOLLOWING} before it`,
    );
  const ratio = Number(read.text('OTEL_TRACES_SAMPLER_ARG') ?? '1');
  if (!(ratio >= 0 && ratio <= 1)) throw read.wrong('OTEL_TRACES_SAMPLER_ARG', 'a number from 0 to 1');
  if (sampler !== 'traceidratio') return { followsParent, ratio: sampler === 'always_on' ? 1 : 0 };
  return { followsParent, ratio };
}

/** Receivers take JSON where they take protobuf over HTTP; gRPC has another port. */
function requireJson(read: Reader): void {
  const names = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'];
  for (const name of names) {
    if ((read.text(name) ?? '').startsWith('grpc')) {
      throw read.wrong(name, 'http/json; receivers listen for it on port 4318 as a rule');
    }
  }
}
