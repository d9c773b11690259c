import { InputError } from '../phone/content/input.ts';
import type { ClientVersions } from '../world/client-versions.ts';
import { DEMANDS, type Demands } from '../world/demands.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const LINES_MAX = 20_000;
const REVISION_MAX = 2_147_483_647;
const REFUSE_MAX_MS = 24 * 3600 * 1000;

/**
 * Faults and wire log of lines. A line is named by its id; one that never connected has an empty
 * log.
 */
export const LINE_ROUTES: readonly Route[] = [
  ['POST', '/lines/{line}/faults', addFault],
  ['GET', '/lines/{line}/faults', listFaults],
  ['DELETE', '/lines/{line}/faults', clearFaults],
  ['GET', '/lines/{line}/wire', wire],
  ['GET', '/demands', showDemands],
  ['PATCH', '/demands', changeDemands],
  ['GET', '/client-version', showVersions],
  ['PATCH', '/client-version', changeVersions],
  ['POST', '/storm', storm],
  ['POST', '/restart', restart],
];

function addFault(call: ControlCall): ControlAnswer {
  const { world, tenant, body } = call;
  return { status: 201, body: world.addFault(tenant, lineOf(call), body.all()) };
}

function listFaults(call: ControlCall): ControlAnswer {
  return { status: 200, body: call.world.faults(call.tenant, lineOf(call)) };
}

function clearFaults(call: ControlCall): ControlAnswer {
  call.world.clearFaults(call.tenant, lineOf(call));
  return { status: 204, body: undefined };
}

/**
 * `{"lines"?:[…],"refuse_for_ms"?}`: every connected line of this sandbox (or these) loses its
 * connection at the same instant.
 */
function storm(call: ControlCall): ControlAnswer {
  const { body, world, tenant } = call;
  const lines = body.has('lines') ? body.texts('lines', 1, LINES_MAX) : undefined;
  const refuseForMs = body.has('refuse_for_ms') ? body.integer('refuse_for_ms', 1, REFUSE_MAX_MS) : 0;
  return { status: 200, body: { cut: world.storm(tenant, { lines, refuseForMs }) } };
}

/**
 * `{"down_for_ms"?}`: the network goes down with every connection and what was only in memory, and
 * comes up again (after that time).
 */
function restart(call: ControlCall): ControlAnswer {
  const { body, world, tenant } = call;
  const downForMs = body.has('down_for_ms') ? body.integer('down_for_ms', 1, REFUSE_MAX_MS) : 0;
  return { status: 200, body: { connections_cut: world.restart(tenant, downForMs) } };
}

function showDemands({ world, tenant }: ControlCall): ControlAnswer {
  return { status: 200, body: demandsBody(world.demands(tenant)) };
}

/**
 * `{"status_stanzas"?, "asked_batches"?, "sealed_edits"?, "login_counters"?}`: what WhatsApp
 * asks of its clients today is asked here, too, unless it is switched off.
 */
function changeDemands({ world, tenant, body }: ControlCall): ControlAnswer {
  const changes = DEMANDS.filter((name) => body.has(wordOf(name))).map((name) => [name, body.flag(wordOf(name))]);
  return { status: 200, body: demandsBody(world.demands(tenant, Object.fromEntries(changes))) };
}

function showVersions({ world, tenant }: ControlCall): ControlAnswer {
  return { status: 200, body: versionsBody(world.versions(tenant)) };
}

/**
 * `{"current"?, "min_pairing"?, "min_login"?, "expires_at"?}`: what the page of the network says,
 * which versions can still be linked and log in, and the end that is told to clients.
 */
function changeVersions({ world, tenant, body }: ControlCall): ControlAnswer {
  const changes: Partial<ClientVersions> = {};
  if (body.has('current')) changes.current = body.integer('current', 1, REVISION_MAX);
  if (body.has('min_pairing')) changes.minPairing = body.integer('min_pairing', 0, REVISION_MAX);
  if (body.has('min_login')) changes.minLogin = body.integer('min_login', 0, REVISION_MAX);
  if (body.has('expires_at')) changes.expiresAt = body.integer('expires_at', 1, 99_999_999_999);
  return { status: 200, body: versionsBody(world.versions(tenant, changes)) };
}

const versionsBody = (of: ClientVersions) => ({
  current: of.current,
  min_pairing: of.minPairing,
  min_login: of.minLogin,
  expires_at: of.expiresAt,
});

const wordOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const demandsBody = (demands: Demands): Record<string, boolean> =>
  Object.fromEntries(DEMANDS.map((name) => [wordOf(name), demands[name]]));

function wire(call: ControlCall): ControlAnswer {
  const { after = '0' } = call.query;
  if (!/^\d{1,15}$/.test(after)) throw new InputError('after', 'must be the seq of a logged stanza');
  return { status: 200, body: call.world.wire(call.tenant, lineOf(call), Number(after)) };
}

function lineOf(call: ControlCall): string {
  return call.params.line ?? '';
}
