import { InputError } from '../phone/content/input.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const LINES_MAX = 20_000;
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

function wire(call: ControlCall): ControlAnswer {
  const { after = '0' } = call.query;
  if (!/^\d{1,15}$/.test(after)) throw new InputError('after', 'must be the seq of a logged stanza');
  return { status: 200, body: call.world.wire(call.tenant, lineOf(call), Number(after)) };
}

function lineOf(call: ControlCall): string {
  return call.params.line ?? '';
}
