import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configSummary, ownServicesOf, readConfig } from './config.ts';
import { loadMasterKey } from './master-key.ts';
import { ConfigError } from './reader.ts';

const machine = { cores: 4, cwd: '/srv/ponte' };
const EXAMPLE = readFileSync(new URL('../../../../config.example.env', import.meta.url), 'utf8');

test('config.example.env holds the defaults, and every commented line in it is valid too', () => {
  expect(readConfig(parseEnv(EXAMPLE), machine)).toEqual(readConfig({}, machine));
  const uncommented = EXAMPLE.replace(/^#([A-Z_]+=.+)$/gm, '$1');
  expect(Object.keys(parseEnv(uncommented)).length).toBeGreaterThan(Object.keys(parseEnv(EXAMPLE)).length);
  const config = readConfig(parseEnv(uncommented), machine);
  expect(config.database.engine).toBe('postgres');
  expect(config.allowPrivateTargets).toEqual(['n8n:5678', '10.1.0.0/16']);
});

test('a process with four cores has three workers', () => {
  expect(readConfig({}, machine).workers.count).toBe(3);
  expect(readConfig({}, { ...machine, cores: 1 }).workers.count).toBe(1);
});

test.each([
  ['HOST', 'http://localhost', 'an address or name of this machine'],
  ['NATS_URL', 'nats://127.0.0.1:4222', 'DATABASE_URL'],
  ['NATS_URL', 'http://127.0.0.1:4222', 'nats://host:4222'],
  ['NATS_USER', 'ponte', 'NATS_URL'],
  ['NODE_NAME', 'a b', 'letters, digits'],
  ['DRAIN_SECONDS', '1h', 'a whole number'],
  ['PORT', '80a', 'a whole number from 0 to 65535'],
  ['PORT', '70000', 'a whole number from 0 to 65535'],
  ['WORKERS', '0', 'a whole number from 1 to 256'],
  ['ISOLATION', 'docker', 'one of shared, dedicated'],
  ['CONNECTS_PER_SECOND', '0', '1 to 1000'],
  ['LOG_LEVEL', 'loud', 'one of debug, info, warn, error, silent'],
  ['SANDBOX', 'maybe', 'on or off'],
  ['PUBLIC_URL', 'wa.example.com', 'https://wa.example.com'],
  ['TRUST_PROXY', 'yes please', 'the addresses of your proxies'],
  ['WHATSAPP_VERSION', '2.3000', 'three numbers'],
  ['CANARY_LINE', '15550001111', 'the id of a line'],
  ['SMTP_URL', 'smtp.example.com:465', 'smtps://user:password@host:465'],
  ['SMTP_URL', 'smtps://smtp.example.com', 'SMTP_FROM'],
  ['SMTP_URL', 'smtps://smtp.example.com/path', 'smtps://user:password@host:465'],
  ['SMTP_FROM', 'ponte@example.com', 'SMTP_URL'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'http://127.0.0.1:4318'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization', 'name=value,name=value'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'port 4318'],
  ['OTEL_TRACES_SAMPLER', 'sometimes', 'parentbased_'],
  ['ALLOW_PRIVATE_TARGETS', 'http://n8n', 'hosts and address ranges'],
  ['DATABASE_URL', 'mysql://x', 'postgres://'],
  ['BLOB_URL', 'https://storage', 's3://bucket'],
  ['BLOB_URL', 's3://B', 's3://bucket'],
  ['BLOB_URL', 's3://bucket', 'BLOB_ACCESS_KEY_ID'],
  ['BLOB_URL', 'file:///', 'file:///shared/folder'],
  ['BLOB_URL', 's3://bucket/../up', 's3://bucket'],
  ['BLOB_ENDPOINT', 'http://minio:9000', 'BLOB_URL'],
  ['MEDIA_MEMORY_DIR', 'shm', 'absolute path'],
])('%s=%s stops the start with a sentence that names it and what it takes', (name, value, takes) => {
  const wrong = () => readConfig({ [name]: value }, machine);
  expect(wrong).toThrow(ConfigError);
  expect(wrong).toThrow(name);
  expect(wrong).toThrow(takes);
});

test('neither the summary nor an error repeats the database password', () => {
  const config = readConfig({ DATABASE_URL: 'postgres://u:canary@h/d' }, machine);
  expect(JSON.stringify(configSummary(config))).not.toContain('canary');
  expect(() => readConfig({ DATABASE_URL: 'postgresx://u:canary@h/d' }, machine)).toThrow(/^(?!.*canary)/s);
});

describe('several nodes', () => {
  const fleet = {
    DATABASE_URL: 'postgres://u:p@h/d',
    NATS_URL: 'nats://ponte:canary@n1, tls://n2:4333',
    BLOB_URL: 's3://files/ponte',
    BLOB_ENDPOINT: 'http://minio:9000',
    BLOB_ACCESS_KEY_ID: 'ponte',
    BLOB_SECRET_ACCESS_KEY: 'canary',
  };

  test('a stop waits longer, and neither the summary nor customers reach the bus', () => {
    const config = readConfig(fleet, machine);
    expect(config.drainSeconds).toBe(60);
    expect(readConfig({}, machine).drainSeconds).toBe(10);
    expect(readConfig({ ...fleet, DRAIN_SECONDS: '20' }, machine).drainSeconds).toBe(20);
    expect(JSON.stringify(configSummary(config))).not.toContain('canary');
    expect(ownServicesOf(config)).toEqual([
      { hostname: 'h', port: 5_432 },
      { hostname: 'n1', port: 4_222 },
      { hostname: 'n2', port: 4_333 },
      { hostname: 'minio', port: 9_000 },
    ]);
  });

  test('what belongs together is set together, and no secret is repeated', () => {
    const wrong = (more: Record<string, string>) => () => readConfig({ ...fleet, ...more }, machine);
    expect(wrong({ NATS_USER: 'ponte' })).toThrow('NATS_PASSWORD');
    expect(wrong({ NATS_PASSWORD: 'canary' })).toThrow(/^(?!.*canary).*NATS_USER/s);
    expect(wrong({ NATS_CERT_FILE: 'a.pem' })).toThrow('NATS_KEY_FILE');
    expect(wrong({ NATS_USER: 'a', NATS_PASSWORD: 'b', NATS_CREDS_FILE: 'c' })).toThrow('one of them');
    expect(wrong({ NATS_URL: 'nats://u:canary@h x' })).toThrow(/^(?!.*canary).*NATS_URL/s);
    expect(wrong({ BLOB_SECRET_ACCESS_KEY: '' })).toThrow('BLOB_SECRET_ACCESS_KEY');
  });

  test('need the same files', () => {
    const { DATABASE_URL, NATS_URL } = fleet;
    const nodes = { DATABASE_URL, NATS_URL };
    expect(() => readConfig(nodes, machine)).toThrow(/BLOB_URL.*the same files/);
    expect(readConfig({ ...nodes, BLOB_URL: 'file:///mnt/ponte' }, machine).media.blobs).toEqual({
      kind: 'folder',
      folder: '/mnt/ponte',
      isShared: true,
    });
  });
});

describe('the master key', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ponte-key-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is made once, readable by its owner only, and found again', () => {
    const first = loadMasterKey({}, folder);
    expect(first).toHaveLength(32);
    expect(statSync(join(folder, 'master.key')).mode & 0o777).toBe(0o600);
    expect(loadMasterKey({}, folder)).toEqual(first);
    expect(readdirSync(folder)).toEqual(['master.key']);
  });

  test('that others can read, or that is damaged, is refused instead of replaced', () => {
    loadMasterKey({}, folder);
    const file = join(folder, 'master.key');
    chmodSync(file, 0o644);
    expect(() => loadMasterKey({}, folder)).toThrow('chmod 600');
    chmodSync(file, 0o600);
    writeFileSync(file, 'short');
    expect(() => loadMasterKey({}, folder)).toThrow('openssl rand');
    expect(readFileSync(file, 'utf8')).toBe('short');
  });

  test('comes from the environment in hex or base64', () => {
    const key = Buffer.alloc(32, 7);
    expect(loadMasterKey({ MASTER_KEY: key.toString('hex') }, folder)).toEqual(key);
    expect(loadMasterKey({ MASTER_KEY: key.toString('base64') }, folder)).toEqual(key);
    expect(() => loadMasterKey({ MASTER_KEY: 'abc' }, folder)).toThrow('MASTER_KEY does not hold');
    expect(() => loadMasterKey({ MASTER_KEY_FILE: join(folder, 'nowhere') }, folder)).toThrow('does not exist');
  });
});

test('e-mails leave encrypted, but for a server on this machine; a password is in no message', () => {
  const mail = (SMTP_URL: string, SMTP_FROM = 'Ponte <ponte@example.com>') =>
    readConfig({ SMTP_URL, SMTP_FROM }, machine).mail;
  expect(mail('smtps://a%40b:p%3Aw@smtp.example.com')).toEqual({
    host: 'smtp.example.com',
    port: 465,
    security: 'tls',
    user: 'a@b',
    password: 'p:w',
    from: 'Ponte <ponte@example.com>',
  });
  expect(mail('smtp://smtp.example.com')).toMatchObject({ port: 587, security: 'starttls', user: undefined });
  expect(mail('smtp://127.0.0.1:2525')).toMatchObject({ port: 2_525, security: 'plain' });
  expect(() => mail('smtps://user:secret@', 'x@y')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('secret') }),
  );
  expect(() => mail('smtps://smtp.example.com', 'a@b\r\nBcc: c@d')).toThrow(/SMTP_FROM/);
});

test('traces are collected where OpenTelemetry’s variables say where they go', () => {
  const of = (env: Record<string, string>) => readConfig(env, machine).tracing;
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318/';
  expect(of({})).toBeUndefined();
  expect(of({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  expect(of({ OTEL_EXPORTER_OTLP_ENDPOINT })).toEqual({
    url: 'http://127.0.0.1:4318/v1/traces',
    headers: {},
    timeoutMs: 10_000,
    serviceName: 'ponte',
    ratio: 1,
    followsParent: true,
  });
  const more = {
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example.com/in',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20canary, x-team = one',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_SERVICE_NAME: 'wa',
  };
  expect(of(more)).toMatchObject({
    url: 'https://traces.example.com/in',
    headers: { authorization: 'Bearer canary', 'x-team': 'one' },
    serviceName: 'wa',
    ratio: 0.25,
    followsParent: false,
  });
  expect(JSON.stringify(configSummary(readConfig(more, machine)))).not.toContain('canary');
  expect(() => of({ ...more, OTEL_EXPORTER_OTLP_HEADERS: 'canary' })).toThrow(/^(?!.*canary)/s);
  expect(() => of({ ...more, OTEL_TRACES_SAMPLER_ARG: '2' })).toThrow('0 to 1');
});
