// The forty goals of reliability, and the checks that show each. `files` are run by vitest; of them
// only the tests whose names match `tests`, when it is given. `sizes`: environment variable, then
// its small, medium and full value. Where the published contract says something else
// than the goal, the contract is tested, and `note` says so. `isQuiet`: its figures say something
// on a machine only that has nothing else to do.

const G = 'packages/gateway/src';
const T = 'packages/gateway/test';
const conformance = 'packages/engine-baileys/test/conformance.test.ts';

export const SIZES = ['small', 'medium', 'full'];

export const GOALS = [
  {
    number: 1,
    goal: 'No acknowledged inbound event is lost',
    shows:
      'kill -9 of the whole product in rounds, both directions; of the dispatcher alone; a restart of PostgreSQL under traffic',
    checks: [
      { files: [`${T}/crash.flow.test.ts`], sizes: { CRASH_ROUNDS: [2, 8, 50] } },
      { files: [`${T}/webhook-crash.test.ts`], sizes: { CRASH_EVENTS: [1_000, 4_000, 20_000] } },
      { files: [`${T}/database-outage.flow.test.ts`] },
    ],
    needs: 'PostgreSQL',
  },
  {
    number: 2,
    goal: 'Few duplicates, always recognisable',
    shows: 'every repetition lies around a kill and has the same ids',
    checks: [{ files: [`${T}/webhook-crash.test.ts`], sizes: { CRASH_EVENTS: [1_000, 4_000, 20_000] } }],
  },
  {
    number: 3,
    goal: 'Retry schedule honoured',
    shows:
      'every attempt at its time, on a clock that is moved; jitter uniform (Kolmogorov–Smirnov); Retry-After in every form',
    checks: [
      {
        files: [`${T}/goal.schedule.test.ts`],
        tests: 'jitter|twelve times',
        sizes: { VERIFY_DELIVERIES: [4, 20, 200] },
      },
      { files: [`${G}/webhooks/retry-after.test.ts`] },
      { files: [`${G}/webhooks/schedule.test.ts`], tests: 'twelve attempts' },
    ],
    note: 'the contract has 12 attempts (the goal: 10)',
  },
  {
    number: 4,
    goal: 'Receiver down for a day, ten restarts meanwhile',
    shows: 'everything arrives as soon as it is back',
    checks: [{ files: [`${G}/webhooks/schedule.test.ts`], tests: 'down for a day' }],
  },
  {
    number: 5,
    isQuiet: true,
    goal: 'Latency from WhatsApp to the receiver',
    shows: 'p50 ≤ 40 ms and p99 ≤ 250 ms from the phone to the first byte at the receiver, whole product',
    checks: [
      { files: [`${T}/goal.latency.test.ts`], tests: 'from the phone', sizes: { VERIFY_MESSAGES: [150, 600, 6_000] } },
    ],
    note: 'at 20 messages a second (the goal: 100), simulated network included',
  },
  {
    number: 6,
    isQuiet: true,
    goal: 'Bad endpoints are isolated',
    shows: 'healthy endpoints beside endpoints that hang and fail, against the same run without those',
    checks: [
      {
        files: [`${T}/goal.latency.test.ts`],
        tests: 'healthy endpoints',
        sizes: { VERIFY_BESIDE: [300, 1_500, 10_000] },
      },
      { files: [`${G}/webhooks/circuit.test.ts`] },
    ],
  },
  {
    number: 7,
    goal: 'Hostile answers are bounded',
    shows: '50 endpoints that answer without end; answers that take too long are cut',
    checks: [
      { files: [`${T}/goal.hostile.test.ts`] },
      { files: [`${G}/webhooks/schedule.test.ts`], tests: 'fifteen seconds' },
    ],
  },
  {
    number: 8,
    goal: 'What each status means',
    shows: 'all statuses from 200 to 599, redirects, 410, resets, refused targets',
    checks: [{ files: [`${G}/webhooks/dispatcher.test.ts`], tests: 'what becomes of an answer' }],
  },
  {
    number: 9,
    goal: 'Switched off after five days of failures',
    shows:
      'endpoints that come and go, delivered to by the real dispatcher, against the rule told by their attempts alone; 1 000 traces of the rule itself',
    checks: [
      { files: [`${T}/goal.schedule.test.ts`], tests: 'come and go', sizes: { VERIFY_TRACES: [8, 40, 400] } },
      { files: [`${G}/webhooks/health.test.ts`] },
    ],
  },
  {
    number: 10,
    goal: 'Replay',
    shows: 'exactly what was asked for, with its own ids',
    checks: [
      { files: [`${G}/store/webhooks/deliveries.test.ts`], tests: 'replay|retention' },
      { files: [`${G}/webhooks/replay-missing.test.ts`] },
    ],
    note: 'the contract keeps dead letters for 30 days',
  },
  {
    number: 11,
    goal: 'Signatures and their rotation',
    shows: 'reference libraries of other languages, the published verifiers, 10 000 changed messages',
    checks: [
      { files: [`${G}/webhooks/signature.test.ts`] },
      { files: [`${G}/webhooks/schedule.test.ts`], tests: 'rotation' },
      { files: [`${T}/lines.examples.flow.test.ts`], tests: 'verifiers' },
    ],
  },
  {
    number: 12,
    goal: 'Order',
    shows: 'strict webhooks under five kill -9, failures in between: no gap, no inversion; per chat while healthy',
    checks: [
      { files: [`${T}/goal.strict-order.test.ts`], sizes: { VERIFY_STRICT_EVENTS: [400, 2_000, 20_000] } },
      { files: [`${G}/webhooks/dispatcher.test.ts`], tests: 'order holds per chat' },
    ],
  },
  {
    number: 13,
    goal: 'One key, many at once',
    shows: 'one of many gets the claim; the others get its answer, or are told to wait',
    checks: [
      { files: [`${G}/store/sends/idempotency.test.ts`], tests: 'exactly one of many' },
      { files: [`${T}/http.idempotency.test.ts`] },
    ],
  },
  {
    number: 14,
    goal: 'Idempotency: conflict, scope, lifetime',
    shows: 'canonical bodies, accounts and modes apart, 24 hours',
    checks: [{ files: [`${G}/store/sends/idempotency.test.ts`] }],
  },
  {
    number: 15,
    goal: 'A crash anywhere',
    shows: 'one WhatsApp message a key under random crashes and interleavings; rounds of kill -9',
    checks: [
      { files: [`${T}/idempotency.property.test.ts`] },
      { files: [`${T}/crash.flow.test.ts`], sizes: { CRASH_ROUNDS: [2, 8, 50] } },
    ],
  },
  {
    number: 16,
    goal: 'Accepted means durable',
    shows: 'client log against the phone after kill -9, a full disk, PostgreSQL restarted at once',
    checks: [
      { files: [`${T}/crash.flow.test.ts`], sizes: { CRASH_ROUNDS: [2, 8, 50] } },
      { files: [`${G}/store/db/readiness.test.ts`], tests: 'full disk' },
      { files: [`${T}/database-outage.flow.test.ts`] },
    ],
    needs: 'PostgreSQL',
  },
  {
    number: 17,
    goal: 'Pacing',
    shows:
      'the gap between every two sends of a flooded line, on a clock that is moved; other lines wait no longer than without it',
    checks: [
      {
        files: [`${T}/goal.crowd.test.ts`],
        tests: 'keeps its gap',
        sizes: { VERIFY_PACED_LINES: [6, 20, 50], VERIFY_FLOOD: [30, 60, 100] },
      },
    ],
  },
  {
    number: 18,
    goal: 'No split brain',
    shows: 'nodes that are killed, stopped and cut off from the database',
    checks: [
      { files: [`${T}/fleet.lines.flow.test.ts`], sizes: { FLEET_FAULTS: [1, 1, 1] } },
      { files: [`${T}/fleet.front.flow.test.ts`] },
    ],
    needs: 'PostgreSQL',
    note: 'two nodes and three; needs nats-server',
  },
  {
    number: 19,
    goal: 'Fencing',
    shows: 'the rules of leases simulated by seed, and the fence of every transaction',
    checks: [
      { files: [`${G}/lines/fleet/lease-protocol.simulation.test.ts`, `${G}/lines/fleet/lease-keeper.test.ts`] },
      { files: [`${G}/store/fleet/leases.test.ts`] },
    ],
    needs: 'PostgreSQL',
  },
  {
    number: 20,
    goal: 'Failover',
    shows:
      'a killed owner’s lines elsewhere, an orderly hand-over, a node that drains, a rolling restart under traffic',
    checks: [
      { files: [`${T}/fleet.lines.flow.test.ts`], sizes: { FLEET_FAULTS: [1, 1, 1] } },
      { files: [`${T}/fleet.front.flow.test.ts`] },
    ],
    needs: 'PostgreSQL',
    note: 'needs nats-server',
  },
  {
    number: 21,
    goal: 'Mass reconnect',
    shows: 'lines cut at once: 20 a second at most in any second, all of them back within the time',
    checks: [
      { files: [`${T}/goal.crowd.test.ts`], tests: 'cut at once', sizes: { VERIFY_LINES: [100, 500, 2_000] } },
      { files: ['packages/simulator/test/storm.test.ts'] },
    ],
    note: 'on a clock that is moved, so the lag of the event loop is not part of it (docs/measuring.md has it)',
  },
  {
    number: 22,
    goal: 'What each end of a connection means',
    shows: 'the whole table, 1 000 refusals without a hot loop; 401, 402, 403, 405, 440 on the simulated network',
    checks: [
      { files: [`${G}/lines/connection/line-state.test.ts`] },
      { files: [`${T}/reasons.flow.test.ts`], tests: 'is told apart' },
    ],
  },
  {
    number: 23,
    goal: 'A dead link is seen',
    shows: 'a network that falls silent under a send and under a question',
    checks: [{ files: [`${T}/refusals.flow.test.ts`] }],
  },
  {
    number: 24,
    goal: 'Credentials survive',
    shows:
      'kill -9 at random commits of ratchets; EIO of fsync and write (strace); death at every write of a pairing, first login and conversation; damaged records',
    checks: [
      { files: [`${T}/goal.credentials.test.ts`], sizes: { VERIFY_KILLS: [5, 60, 1_000], VERIFY_EIO: [3, 12, 60] } },
      { files: [conformance], tests: 'death of the process' },
      { files: [`${T}/reasons.flow.test.ts`], tests: 'unreadable credentials|damaged session' },
    ],
  },
  {
    number: 25,
    goal: 'Disk full or read-only',
    shows: 'told as what it is, and everything goes on when there is room',
    checks: [{ files: [`${G}/store/db/readiness.test.ts`] }, { files: [`${G}/lines/line.test.ts`], tests: 'store' }],
    note: 'the contract answers 503 while nothing can be written (the goal: 500)',
  },
  {
    number: 26,
    goal: 'PostgreSQL or NATS away',
    shows:
      'restarts under traffic, cut connections, half-open ones: nothing lost, resumed by itself; a fleet without NATS, which comes back with nothing',
    checks: [
      { files: [`${T}/database-outage.flow.test.ts`] },
      { files: [`${T}/database-restart.flow.test.ts`] },
      { files: [`${G}/store/db/gateway-lock.test.ts`] },
      { files: [`${T}/fleet.front.flow.test.ts`] },
      { files: [`${T}/fleet.lines.flow.test.ts`], sizes: { FLEET_FAULTS: [1, 1, 1] } },
    ],
    needs: 'PostgreSQL',
    note: 'needs nats-server',
  },
  {
    number: 27,
    goal: 'SSRF closed',
    shows: 'all vectors at all sinks, 1 000 flipping answers, redirects: no socket made',
    checks: [{ files: [`${G}/net/guarded-fetch.test.ts`] }, { files: [`${T}/ssrf.sinks.test.ts`] }],
  },
  {
    number: 28,
    goal: 'Private targets by configuration only',
    shows: 'what an entry opens, and what no entry opens',
    checks: [
      { files: [`${G}/net/address-policy.test.ts`] },
      { files: [`${T}/attack.surroundings.test.ts`], tests: 'own database' },
    ],
  },
  {
    number: 29,
    goal: 'Fetching media is bounded',
    shows: 'at the limit and one byte over it, bombs, lies, ten at once: memory and files left',
    checks: [{ files: [`${T}/goal.media.test.ts`] }, { files: [`${G}/net/guarded-fetch.test.ts`], tests: 'limits' }],
  },
  {
    number: 30,
    goal: 'Media is served safely',
    shows: 'names and types of downloads, ranges, three hours of the cache, nothing without a key',
    checks: [
      { files: [`${T}/attack.surroundings.test.ts`], tests: 'name of a download' },
      { files: [`${T}/media.detail.flow.test.ts`], tests: 'a download says' },
      { files: [`${G}/media/file-cache.test.ts`], tests: 'three hours' },
    ],
  },
  {
    number: 31,
    goal: 'Keys: unreadable, cheap, without a timing split',
    shows: 'Welch’s t over interleaved samples of almost right and other wrong keys; what a dump has',
    checks: [
      { files: [`${T}/goal.keys.test.ts`], sizes: { VERIFY_TIMINGS: [8_000, 100_000, 1_000_000] } },
      { files: [`${G}/access/api-keys.test.ts`], tests: 'nowhere in the database|mistyped' },
    ],
  },
  {
    number: 32,
    goal: 'Revocation and rotation of keys',
    shows: 'everywhere within a second; grace; last use',
    checks: [{ files: [`${G}/access/api-keys.test.ts`] }],
  },
  {
    number: 33,
    goal: 'Encrypted at rest',
    shows:
      'canaries in the tables, moved and changed records, 10 000 records rotated, kill -9 in the middle, sends meanwhile',
    checks: [
      { files: [`${G}/store/engine/engine-store.test.ts`], tests: 'in clear' },
      { files: [`${G}/access/open-key-ring.test.ts`, `${G}/access/rotate-master-key.test.ts`] },
      { files: [`${T}/master-key.kill.test.ts`, `${T}/master-key.flow.test.ts`] },
    ],
  },
  {
    number: 34,
    goal: 'Console',
    shows: 'sessions, lock-out under attack, requests of other sites, roles, the first run',
    checks: [{ files: [`${T}/console.sign-in.test.ts`, `${T}/console.http.test.ts`, `${T}/attack.sign-in.test.ts`] }],
  },
  {
    number: 35,
    goal: 'Published limits exact',
    shows: 'the window against a model; every limit over HTTP; IPv6 by /64; spoofed X-Forwarded-For',
    checks: [{ files: [`${G}/access/rate-limit.test.ts`] }, { files: [`${T}/http.limits.test.ts`] }],
  },
  {
    number: 36,
    goal: 'Nothing secret leaks',
    shows: 'canaries through calls and failures; the trace without texts; the audit’s chain',
    checks: [
      { files: [`${T}/goal.secrets.test.ts`] },
      { files: [`${G}/lines/trace/redactor.test.ts`] },
      { files: [`${G}/access/console-audit.test.ts`] },
    ],
  },
  {
    number: 37,
    goal: 'Tenants are apart',
    shows: 'every row of both APIs for what is another account’s; keys limited to lines',
    checks: [
      { files: [`${T}/http.refusals.test.ts`], tests: 'another account' },
      { files: [`${T}/attack.scopes.test.ts`] },
    ],
  },
  {
    number: 38,
    goal: 'Fuzz-proof',
    shows:
      'generated requests to every row, answers checked against the published schemas; every spelling of addresses',
    checks: [
      { files: [`${T}/http.fuzz.test.ts`], sizes: { VERIFY_FUZZ: [400, 5_000, 50_000] } },
      { files: [`${T}/attack.front-door.test.ts`], sizes: { ATTACK_ROUNDS: [40, 400, 2_000] } },
    ],
    note: 'requests are per database: SQLite and, when it is there, PostgreSQL',
  },
  {
    number: 39,
    goal: 'MCP',
    shows: 'the door, foreign origins, versions, 10 000 interleaved calls of two keys',
    checks: [{ files: [`${T}/http.mcp.test.ts`, `${T}/mcp.crossing.test.ts`] }],
    note: 'the official suite runs in `.ci/run`',
  },
  {
    number: 40,
    goal: 'Supply chain and defaults',
    shows: 'licences, integrity, install scripts, advisories, the guard against forged messages',
    checks: [{ files: ['scripts/supply-chain.test.ts'] }],
  },
];
