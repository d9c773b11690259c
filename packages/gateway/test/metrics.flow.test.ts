import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../src/bench/processes.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const MONITORING = new URL('../../../deploy/monitoring/', import.meta.url).pathname;
const PROMTOOL = '/usr/bin/promtool';
const PROMETHEUS = '/usr/bin/prometheus';
/** Left out only where no Prometheus is installed, and never in CI (scripts/test.mjs). */
const isLeftOut = !existsSync(PROMTOOL) || !existsSync(PROMETHEUS);

interface Panel {
  title: string;
  targets: { expr: string }[];
}
const panels = (): Panel[] =>
  (JSON.parse(readFileSync(`${MONITORING}grafana-dashboard.json`, 'utf8')) as { panels: Panel[] }).panels;
const alertNames = (): string[] =>
  [...readFileSync(`${MONITORING}alerts.yaml`, 'utf8').matchAll(/^ {6}- alert: (\w+)$/gm)].map(([, name = '']) => name);
/** Names as a scrape knows them: of a histogram without its suffixes. */
const metricNames = (text: string): string[] => [
  ...new Set([...text.matchAll(/\b(?:ponte|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name)),
];

describe('what a scrape says', () => {
  let rig: Rig;
  let line: LinkedLine;
  const scrape = async () => (await fetch(`${rig.base}/metrics`)).text();
  const says = (sample: string) => until(sample, async () => (await scrape()).includes(sample));

  beforeAll(async () => {
    rig = await Rig.start();
    await rig.sandbox.phone('15550002222', 'Alice');
    line = await rig.linkLine('demo', '15550001111');
    await rig.api.expect(200, 'POST', '/api/instances/demo/proxy/send/text', { chat: '15550002222', body: 'one' });
    await rig.world('POST', '/phones/15550002222/messages', { to: line.phone, type: 'text', body: 'two' });
    await until('the webhook heard of it', () => rig.receiver.requests.some(({ body }) => body.includes('"two"')));
  }, 60_000);
  afterAll(() => rig?.close());

  test('counts lines, messages, logins, requests, queues and the database', async () => {
    await says('ponte_lines{mode="test",status="connected",reason="none"} 1');
    await says('ponte_messages_total{mode="test",direction="out",kind="text",outcome="sent"} 1');
    await says('ponte_messages_total{mode="test",direction="in",kind="text",outcome="received"} 1');
    await says('ponte_acknowledgement_seconds_count{mode="test"} 1');
    await says('ponte_send_seconds_count{mode="test"} 1');
    const text = await scrape();
    expect(text).toMatch(/ponte_line_connects_total\{mode="test",kind="(first|again)"\} [1-9]/);
    expect(text).toMatch(/ponte_inbound_journal_seconds_count\{mode="test"\} [1-9]/);
    expect(text).toMatch(/ponte_database_transaction_seconds_count\{durability="full"\} [1-9]/);
    expect(text).toMatch(/ponte_event_delivery_seconds_count [1-9]/);
    expect(text).toMatch(/ponte_worker_resident_memory_bytes\{worker="test-1"\} \d{7}/);
    expect(text).toMatch(/ponte_worker_cpu_seconds_total\{worker="test-1"\} 0?\.?\d/);
    expect(text).toMatch(/ponte_database_size_bytes [1-9]\d{4}/);
    expect(text).toMatch(/ponte_build_info\{version="[^"]+",node="\d+\.\d+\.\d+"\} 1/);
    expect(text).toContain('ponte_sends_waiting 0');
    expect(text).toContain('ponte_inbox_waiting 0');
    expect(text).toMatch(
      /ponte_http_requests_total\{method="POST",route="\/api\/instances\/:\w+\/proxy\/send\/text",status="200"\} 1/,
    );
  });

  test('a line that is offline shows with its reason, one that comes back counts as such', async () => {
    await rig.world('POST', `/lines/${line.lineId}/faults`, { kind: 'refuse', for_ms: 60_000 });
    await rig.world('POST', `/lines/${line.lineId}/faults`, { kind: 'cut' });
    await until('an offline line', async () =>
      /ponte_lines\{mode="test",status="(connecting|disconnected)",reason="[a-z_]+"\} 1/.test(await scrape()),
    );
    await until('a disconnect', async () => /ponte_line_disconnects_total\{mode="test",/.test(await scrape()));
  });

  test('what a killed worker counted stays counted', async () => {
    const sent = 'ponte_messages_total{mode="test",direction="out",kind="text",outcome="sent"} 1';
    rig.killWorker();
    await until('the crash is counted', async () => (await scrape()).includes('ponte_worker_crashes_total 1'));
    expect(await scrape()).toContain(sent);
  });

  test('unknown addresses and identifiers make no new series', async () => {
    const series = async () =>
      (await scrape()).split('\n').filter((row) => row.startsWith('ponte_http_requests_total'));
    const get = (path: string) => rig.api.call('GET', path).then(({ status }) => status);
    await Promise.all([get('/api/instances/none-0'), get('/api/none-0')]);
    const before = (await series()).length;
    for (let i = 1; i <= 50; i++) await Promise.all([get(`/api/instances/none-${i}`), get(`/api/none-${i}`)]);
    expect((await series()).length).toBe(before);
  });

  describe.skipIf(isLeftOut)('to Prometheus (needs it: apt-get install prometheus)', () => {
    let folder: string;
    let prometheus: ChildProcess;
    let at: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'ponte-prometheus-'));
      const config = readFileSync(`${MONITORING}prometheus.yaml`, 'utf8')
        .replaceAll('15s', '1s')
        .replace('alerts.yaml', `${MONITORING}alerts.yaml`)
        .replace('127.0.0.1:8080', new URL(rig.base).host);
      writeFileSync(join(folder, 'prometheus.yaml'), config);
      const port = await freePort();
      at = `http://127.0.0.1:${port}`;
      prometheus = spawn(
        PROMETHEUS,
        [
          `--config.file=${folder}/prometheus.yaml`,
          `--storage.tsdb.path=${folder}/data`,
          `--web.listen-address=127.0.0.1:${port}`,
        ],
        { stdio: 'ignore' },
      );
      const isUp = () => query('up{job="ponte"} == 1').then(({ length }) => length === 1);
      await until('Prometheus scraped', () => isUp().catch(() => false), 30_000);
    }, 60_000);
    afterAll(async () => {
      if (prometheus?.exitCode === null) {
        prometheus.kill();
        await once(prometheus, 'exit');
      }
      if (folder) rmSync(folder, { recursive: true, force: true });
    });

    async function query(expr: string): Promise<unknown[]> {
      const answer = await fetch(`${at}/api/v1/query?query=${encodeURIComponent(expr)}`, {
        signal: AbortSignal.timeout(5_000),
      });
      const body = (await answer.json()) as { status: string; error?: string; data: { result: unknown[] } };
      if (body.status !== 'success') throw new Error(`${expr}: ${body.error}`);
      return body.data.result;
    }

    test('its own tool finds nothing wrong with the rules and the scrape', async () => {
      execFileSync(PROMTOOL, ['check', 'rules', `${MONITORING}alerts.yaml`]);
      execFileSync(PROMTOOL, ['check', 'config', `${MONITORING}prometheus.yaml`]);
      execFileSync(PROMTOOL, ['check', 'metrics'], { input: await scrape() });
    });

    test('every query of the dashboard is understood, and of a metric that exists', async () => {
      const scraped = await scrape();
      for (const { title, targets } of panels()) {
        for (const { expr } of targets) {
          await query(expr);
          for (const name of metricNames(expr)) {
            const bare = name.replace(/_(?:bucket|count|sum)$/, '');
            expect(scraped, `${title}: ${name}`).toMatch(new RegExp(`^# TYPE ${bare} `, 'm'));
          }
        }
      }
    });

    test('every alert is loaded, of a metric that exists, and has its paragraph', async () => {
      const { data } = (await (await fetch(`${at}/api/v1/rules`)).json()) as {
        data: { groups: { rules: { name: string; query: string; health: string }[] }[] };
      };
      const rules = data.groups.flatMap((group) => group.rules);
      expect(rules.map(({ name }) => name)).toEqual(alertNames());
      const guide = readFileSync(new URL('../../../docs/troubleshooting.md', import.meta.url), 'utf8');
      const scraped = await scrape();
      for (const rule of rules) {
        expect(guide, rule.name).toContain(`### ${rule.name}\n`);
        for (const name of metricNames(rule.query)) {
          const bare = name.replace(/_(?:bucket|count|sum)$/, '');
          expect(scraped, `${rule.name}: ${name}`).toMatch(new RegExp(`^# TYPE ${bare} `, 'm'));
        }
      }
    });
  });
});
