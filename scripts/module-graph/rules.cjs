// What the imports of every package must hold; scripts/module-graph.mjs asks. The rooms of the
// gateway stand in scripts/layers.mjs, where the homes of clock, environment and SQL stand too.

/** Folder → folders of the same package it may import, beside its own and the files at the root. */
const ROOMS = {
  engine: { parse: ['compose'], compose: ['parse'], conformance: [] },
  'engine-baileys': {
    hardening: [],
    store: ['hardening', 'outbound'],
    login: ['store'],
    pairing: [],
    inbound: ['account', 'outbound', 'store'],
    media: ['inbound'],
    groups: ['store'],
    outbound: ['groups', 'inbound', 'media', 'store'],
    history: ['inbound', 'media', 'outbound', 'store'],
    account: ['inbound', 'outbound', 'store'],
  },
  simulator: {
    signal: [],
    phone: ['signal'],
    media: ['world'],
    wire: ['faults', 'signal', 'world'],
    faults: ['phone', 'signal', 'wire', 'world'],
    control: ['faults', 'phone', 'world'],
    world: ['control', 'faults', 'media', 'phone', 'wire'],
  },
  console: {
    words: [],
    stream: [],
    generated: [],
    queries: [],
    parts: ['words'],
    scenes: ['parts', 'queries', 'words'],
  },
};

/** Where reading begins: processes, package doors, workers, tests. */
const ENTRIES = [
  '^packages/gateway/src/(main|worker-main|index)\\.ts$',
  '^packages/gateway/src/bench/',
  '^packages/simulator/src/(main|index)\\.ts$',
  '^packages/engine/src/(conformance/)?index\\.ts$',
  '^packages/engine-baileys/src/(index|endpoint)\\.ts$',
  '^packages/sdk/src/index\\.ts$',
  '^packages/console/src/(main\\.tsx|stream/worker\\.ts)$',
];
const TESTS = '\\.test\\.tsx?$|\\.fixture\\.ts$|^packages/[^/]+/test/';

const roomRules = Object.entries(ROOMS).flatMap(([name, rooms]) =>
  Object.entries(rooms).map(([room, allowed]) => {
    const src = `^packages/${name}/src/`;
    const others = Object.keys(rooms).filter((other) => other !== room && !allowed.includes(other));
    return {
      name: `room ${name}/${room}`,
      severity: 'error',
      from: { path: `${src}${room}/`, pathNot: TESTS },
      to: { path: `${src}(${others.join('|')})/` },
    };
  }),
);

module.exports = {
  forbidden: [
    { name: 'circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'unused',
      severity: 'error',
      from: { path: [...ENTRIES, TESTS] },
      to: { path: '^packages/[^/]+/src/', pathNot: [...ENTRIES, TESTS, '\\.d\\.ts$'], reachable: false },
    },
    {
      name: 'pages from elsewhere than the router',
      severity: 'error',
      from: { path: '^packages/console/src/[^/]+$', pathNot: ['/(router|main)\\.tsx$', TESTS] },
      to: { path: '^packages/console/src/scenes/' },
    },
    ...roomRules.filter(({ to }) => !to.path.includes('()')),
  ],
  options: {
    // Readers follow imports of types, too.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|golden)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
