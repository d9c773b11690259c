import type { Command } from 'commander';
import type { Installation } from '../installation.ts';
import { LEASE_TIMES } from '../lines/fleet/lease-protocol.ts';
import { type ListedNode, listNodes } from '../store/fleet/list-nodes.ts';
import { setDraining } from '../store/fleet/nodes.ts';
import { CommandFailed, isoTime, type Output, print, table } from './output.ts';

interface Json {
  json?: boolean;
}

type WithInstallation = (work: (at: Installation) => Promise<void>) => Promise<void>;

/** `ponte nodes …`: works from any machine that has the settings of a node. */
export function addNodes(program: Command, out: Output, withInstallation: WithInstallation): void {
  const nodes = program.command('nodes').description('the nodes of a fleet');
  nodes
    .command('list')
    .description('the nodes of the last day, with their lines')
    .option('--json', 'one JSON document')
    .action((given: Json) => withInstallation((at) => showNodes(at, given, out)));
  for (const [name, isDraining, description] of [
    ['drain', true, 'give its lines to the other nodes; it goes on answering requests'],
    ['undrain', false, 'let it have lines again'],
  ] as const) {
    nodes
      .command(name)
      .description(description)
      .argument('<node>', 'its name or id')
      .option('--json', 'one JSON document')
      .action((node: string, given: Json) =>
        withInstallation((at) => drainNode(at, node, { ...given, isDraining }, out)),
      );
  }
}

const facts = (node: ListedNode) => ({
  id: node.id,
  name: node.name,
  state: node.state,
  lines: node.lines,
  weight: node.weight,
  version: node.version,
  started_at: isoTime(node.startedAt),
  silent_for_ms: node.silentForMs,
});

async function nodesOf({ config, store }: Installation): Promise<ListedNode[]> {
  if (config.database.engine === 'sqlite') {
    throw new CommandFailed('there are no nodes: a fleet needs DATABASE_URL and NATS_URL (docs/fleet.md)');
  }
  return listNodes(store.db, LEASE_TIMES.ttlMs);
}

async function showNodes(at: Installation, { json }: Json, out: Output): Promise<void> {
  const all = (await nodesOf(at)).map(facts);
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s ago`;
  print(out, json, { nodes: all }, () =>
    table(
      ['NODE', 'NAME', 'STATE', 'LINES', 'WEIGHT', 'VERSION', 'STARTED', 'LAST SIGN'],
      all.map((one) => [
        one.id,
        one.name,
        one.state,
        one.lines,
        one.weight,
        one.version,
        one.started_at,
        seconds(one.silent_for_ms),
      ]),
    ),
  );
}

async function drainNode(
  at: Installation,
  wanted: string,
  { json, isDraining }: Json & { isDraining: boolean },
  out: Output,
): Promise<void> {
  const found = (await nodesOf(at)).filter((node) => node.state !== 'gone' && [node.id, node.name].includes(wanted));
  const [node] = found;
  if (!node) throw new CommandFailed(`there is no node ${wanted} that is up; "ponte nodes list" shows them`);
  if (found.length > 1) throw new CommandFailed(`several nodes are called ${wanted}; name one by its id`);
  await setDraining(at.store, node.id, isDraining);
  const words = isDraining ? 'gives its lines to the others within seconds' : 'may have lines again';
  print(out, json, { id: node.id, name: node.name, draining: isDraining }, () => `${node.name} (${node.id}) ${words}`);
}
