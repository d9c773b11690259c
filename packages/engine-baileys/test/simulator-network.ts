import type { ConformanceNetwork, ConformancePhone, SeenMessage } from '@ponte/engine/conformance';
import { createSimulator } from '@ponte/simulator';
import { CHANGES } from '../../simulator/src/phone/content/changes.ts';
import { Input } from '../../simulator/src/phone/content/input.ts';
import { KINDS } from '../../simulator/src/phone/content/kinds.ts';
import { contactSalt } from '../../simulator/src/world/tc-tokens.ts';
import { createBaileysEngine } from '../src/index.ts';

export const TENANT = 'conformance';

type Simulator = Awaited<ReturnType<typeof createSimulator>>;

/** The suite's network, and the simulator behind it for what only this adapter's tests ask. */
export interface TestNetwork extends ConformanceNetwork {
  readonly simulator: Simulator;
}

type Phone = Awaited<ReturnType<Simulator['world']['createPhone']>>;

/** The conformance suite's network over the simulator, with the engine under test. */
export async function simulatorNetwork(): Promise<TestNetwork> {
  const simulator = await createSimulator();
  const { world } = simulator;
  recordPushes(simulator);
  return {
    simulator,
    factory: createBaileysEngine(),
    endpoint: (line) => ({
      wsUrl: simulator.wsUrl(TENANT, line),
      noiseRoot: simulator.noiseRootPublicKey,
      mediaCa: simulator.mediaCaPem,
      mediaAddress: `127.0.0.1:${simulator.mediaPort}`,
    }),
    phone: async (digits) => {
      const about = undefined;
      const options = { phone: digits, name: `Phone ${digits}`, about, isBusiness: false, isLidOnly: false };
      return conformancePhone(simulator, digits, await world.createPhone(TENANT, options));
    },
    cut: (line) => world.session(TENANT, line)?.cut('the test cut it'),
    fault: (line, fault) => {
      world.addFault(TENANT, line, fault);
    },
    wire: (line) => world.wire(TENANT, line, 0),
    replay,
    push: (line, stanza) => world.session(TENANT, line)?.push(stanza),
    showTyping: (line, { lid }) =>
      world
        .session(TENANT, line)
        ?.push({ tag: 'chatstate', attrs: { from: lid }, content: [{ tag: 'composing', attrs: {} }] }),
    close: async () => {
      await simulator.close();
      if (world.problems.length > 0) throw new Error(`the simulator had problems: ${JSON.stringify(world.problems)}`);
    },
  };
}

function conformancePhone(simulator: Simulator, digits: string, phone: Phone): ConformancePhone {
  const { world } = simulator;
  return {
    phone: digits,
    pn: phone.jid,
    lid: phone.lid,
    scan: async (qr) => {
      await world.pair(TENANT, digits, phone.linkDevice(qr));
    },
    enterCode: async (code) => {
      await world.enterCode(TENANT, digits, code.replace('-', ''));
    },
    storeContactSalt: async () => {
      const { tenant } = world.network(TENANT);
      const action = { nctSaltSyncAction: { salt: contactSalt(tenant, digits) } };
      await phone.sync.appState.push('regular_high', [{ index: ['nct_salt_sync'], action, version: 1 }]);
    },
    sendText: async (to, body) => (await phone.sendText(to, body)).messageId,
    edit: async (to, id, body) => (await phone.change(to, id, CHANGES.edit, new Input({ body }))).messageId,
    postStatus: async (to, body) =>
      (await phone.publishing.postStatus(to, textKind(), new Input({ type: 'text', body }))).messageId,
    sendForgedKeyShare: async (to) => (await phone.send(to, FORGED_KEY_SHARE, new Input({}))).messageId,
    seen: () => {
      const rows = phone.inbox.page({ after: 0, chat: undefined, isWithOwnSends: false });
      return rows.map(({ value }): SeenMessage => {
        const { messageId: id, from, content, copies } = value;
        return { id, from, body: content.type === 'undecryptable' ? undefined : (content.body ?? ''), copies };
      });
    },
  };
}

function textKind(): (typeof KINDS)[number] {
  const kind = KINDS.find(({ type }) => type === 'text');
  if (!kind) throw new Error('the simulator knows no text');
  return kind;
}

const APP_STATE_SYNC_KEY_SHARE = 6;

const FORGED_KEY_SHARE: Parameters<Phone['send']>[1] = {
  type: 'forged',
  build: (_input, { random }) => ({
    shape: { type: 'text' },
    message: {
      protocolMessage: {
        type: APP_STATE_SYNC_KEY_SHARE,
        appStateSyncKeyShare: {
          keys: [{ keyId: { keyId: random(6) }, keyData: { keyData: random(32), timestamp: 1, fingerprint: {} } }],
        },
      },
    },
  }),
  read: () => undefined,
};

type Session = NonNullable<ReturnType<Simulator['world']['session']>>;
type Stanza = Parameters<Session['push']>[0];

/** Messages pushed to each line since it connected. */
const pushed = new Map<string, { session: Session; messages: Stanza[] }>();

function recordPushes({ world }: Simulator): void {
  const connected = world.connected.bind(world);
  world.connected = (tenant, session) => {
    const messages: Stanza[] = [];
    const push = session.push.bind(session);
    session.push = (node) => {
      if (node.tag === 'message') messages.push(node);
      push(node);
    };
    if (session.lineId !== undefined) pushed.set(session.lineId, { session, messages });
    connected(tenant, session);
  };
}

function replay(line: string, times: number): void {
  const record = pushed.get(line);
  if (!record) throw new Error(`line ${line} never connected`);
  const messages = [...record.messages];
  for (let time = 0; time < times; time++) for (const message of messages) record.session.push(message);
  record.messages.length = messages.length;
}
