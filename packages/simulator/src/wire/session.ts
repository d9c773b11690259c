import type { Duplex } from 'node:stream';
import { child, formatJid, isBot, type Node, SERVER_LID } from '@ponte/engine';
import type { WebSocket } from 'ws';
import { Disturbance } from '../faults/disturbance.ts';
import { FaultError, type FaultRule } from '../faults/rules.ts';
import type { KeyPair } from '../signal/curve.ts';
import { nowSeconds, type Timer } from '../world/clock.ts';
import { removeCompanion } from '../world/companions.ts';
import { answerIq } from '../world/iq/table.ts';
import type { Endpoint, Mailbox } from '../world/mailbox.ts';
import type { Candidate } from '../world/pairing-candidate.ts';
import { isPromptReceipt } from '../world/prompts.ts';
import { tellTimelock } from '../world/restrictions.ts';
import { sharedCommit } from '../world/shared-commit.ts';
import { el } from '../world/stanzas.ts';
import type { Sender } from '../world/tenant.ts';
import type { TenantNetwork } from '../world/tenant-network.ts';
import type { CertificateFlaw } from './certificates.ts';
import { Connection } from './connection.ts';
import { NoiseResponder } from './noise.ts';
import { readRegistration } from './registration.ts';
import type { ClientPayload } from './wire-proto.ts';

const LOCATION = 'sandbox';
/** devlikeapro/waha #2151: exactly so long, again and again. */
const ACK_PATIENCE_MS = 3_001_000;
const UNACKED_MAX = 1_000;

export interface SessionOptions {
  socket: Duplex;
  network: TenantNetwork;
  staticKey: KeyPair;
  certificates: (flaw?: CertificateFlaw) => Uint8Array;
  lineId: string | undefined;
  /** The connection is over; called once. */
  onEnd: (session: Session) => void;
}

/**
 * One client from its first byte to its last: handshake → registering (refs, pair-success, 515) or
 * login → success → held until the client is active → draining → live. `<success>` is only ever
 * sent to a device whose Noise key is the one recorded at pairing.
 */
export class Session implements Endpoint {
  readonly lineId: string | undefined;
  isAvailable = false;
  readonly #network: TenantNetwork;
  readonly #connection: Connection;
  readonly #onEnd: (session: Session) => void;
  readonly #disturbance: Disturbance;
  #sender: Sender = { pn: '', device: 0, lineId: undefined };
  #state: 'handshake' | 'registering' | 'active' | 'ended' = 'handshake';
  #candidate: Candidate | undefined;
  #mailbox: Mailbox | undefined;
  #holdTimer: Timer | undefined;
  /** Statuses and prompts to bots that were pushed and not acknowledged as such. */
  readonly #unacked = new Map<string, Node>();
  #ackTimer: Timer | undefined;

  constructor(ws: WebSocket, options: SessionOptions) {
    const { network, lineId } = options;
    const { tenant } = network;
    this.lineId = lineId;
    this.#network = network;
    this.#onEnd = options.onEnd;
    const faults = lineId === undefined ? undefined : tenant.faults(lineId);
    const certificates = options.certificates(faults?.takeCertificateFlaw());
    const random = (length: number): Uint8Array => tenant.rng.bytes(length);
    this.#connection = new Connection(ws, {
      socket: options.socket,
      commit: sharedCommit(tenant.db),
      noise: new NoiseResponder({ staticKey: options.staticKey, certificates, random }),
      events: {
        opened: (payload, noiseKey) => this.#opened(payload, noiseKey),
        received: (node) => this.#received(node),
        drained: () => tenant.delivery.resume(this.pn, this.device),
        closed: (reason) => this.#ended(reason),
      },
    });
    this.#disturbance = new Disturbance({
      clock: tenant.clock,
      faults,
      write: (node, note) => this.#write(node, note),
      lost: (node) => tenant.log.add(lineId, 'out', node, 'lost, never sent'),
    });
    const holdMs = faults?.blackHoleLeftMs ?? 0;
    if (holdMs > 0) this.#blackHole(holdMs);
  }

  get pn(): string {
    return this.#sender.pn;
  }

  get device(): number {
    return this.#sender.device;
  }

  get isCongested(): boolean {
    return this.#connection.isCongested;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  get isRegistering(): boolean {
    return this.#state === 'registering';
  }

  /** performance.now() of the last frame. */
  get lastSeenMs(): number {
    return this.#connection.lastSeenMs;
  }

  push(node: Node): void {
    if (node.tag === 'status' || isBot(node.attrs.recipient)) this.#expectAck(node);
    this.#disturbance.push(node);
  }

  cut(reason: string): void {
    this.#connection.cut(reason);
  }

  end(why: 'replaced' | 'device_removed' | 'reset'): void {
    if (why === 'replaced') {
      this.#streamError({}, [el('conflict', { type: 'replaced' })]);
      return;
    }
    // Without the code attribute Baileys takes a removed device for a replaced connection (440).
    this.#streamError({ code: '401' }, [el('conflict', { type: 'device_removed' })]);
  }

  /**
   * Does what a fault rule wants done at once on a connected line; rules that act later are not its
   * business.
   */
  apply(rule: FaultRule): void {
    if (rule.kind === 'cut') this.cut('fault: cut');
    else if (rule.kind === 'replaced') this.end('replaced');
    else if (rule.kind === 'logged_out') this.#logOut();
    else if (rule.kind === 'black_hole') this.#blackHole(rule.forMs);
    else if (rule.kind === 'restricted' && this.#state === 'active') {
      tellTimelock(this.#tenant, this.#sender, this.#tenant.clock.nowMs() + rule.forMs);
    } else if (rule.kind === 'stream_error') {
      const conflict = rule.code === 401 ? [el('conflict', { type: 'device_removed' })] : undefined;
      this.#streamError({ code: String(rule.code) }, conflict);
    } else if (rule.kind === 'reg_refresh') {
      if (!this.#candidate || this.#state !== 'registering') {
        throw new FaultError('kind', 'reg_refresh needs a line that is showing a QR code');
      }
      this.#network.pairing.refreshSecret(this.#candidate);
    }
  }

  /** The line's faults were cleared: what a black hole holds back goes on. */
  calm(): void {
    this.#holdTimer?.cancel();
    this.#connection.release();
  }

  #opened(payload: ClientPayload, noiseKey: Uint8Array): void {
    const failure = this.lineId === undefined ? undefined : this.#tenant.faults(this.lineId).takeLoginFailure();
    if (failure !== undefined) {
      this.#fail(failure);
      return;
    }
    if (revisionOf(payload) < this.#tenant.versions.minLogin) {
      this.#fail(405);
      return;
    }
    const username = payload.username === null || payload.username === undefined ? '' : String(payload.username);
    if (username === '' || username === '0') this.#register(payload, noiseKey);
    else this.#login(username, payload, noiseKey);
  }

  #register(payload: ClientPayload, noiseKey: Uint8Array): void {
    const registration = readRegistration(payload);
    if (!registration) {
      this.#fail(400);
      return;
    }
    const { platform, osVersion, platformType } = registration;
    this.#tenant.log.add(
      this.lineId,
      'in',
      el('registration', { os: platform, os_version: osVersion, type: platformType }),
    );
    this.#state = 'registering';
    this.#candidate = {
      ...registration,
      lineId: this.lineId,
      noiseKey,
      revision: revisionOf(payload),
      send: (node) => this.#write(node),
      restart: () => this.#streamError({ code: '515' }),
      fail: (reason) => this.#connection.close(reason),
    };
    this.#network.pairing.showRefs(this.#candidate);
  }

  #login(pn: string, payload: ClientPayload, noiseKey: Uint8Array): void {
    const tenant = this.#tenant;
    const account = tenant.accounts.byPn(pn);
    const device = account && tenant.accounts.device(pn, payload.device ?? 0);
    if (!account || !device?.noiseKey || Buffer.compare(device.noiseKey, noiseKey) !== 0) {
      this.#fail(401);
      return;
    }
    // Zero is what clients say that count nothing.
    const count = payload.lc ?? 0;
    tenant.log.add(this.lineId, 'in', el('login', { lc: String(count) }));
    if (count > 0 && !tenant.countsOn(noiseKey, count) && tenant.demands.loginCounters) {
      this.#fail(500);
      return;
    }
    this.#sender = { pn, device: device.id, lineId: this.lineId };
    this.#state = 'active';
    if (this.lineId !== undefined && device.lineId !== this.lineId) {
      tenant.accounts.saveDevice({ ...device, lineId: this.lineId });
    }
    this.#mailbox = tenant.delivery.attach(this);
    this.#write(
      el('success', {
        t: String(nowSeconds(tenant.clock)),
        lid: formatJid(account.lid, SERVER_LID, device.id),
        creation: String(device.linkedAt),
        location: LOCATION,
        props: '1',
        abprops: '1',
      }),
    );
    const { expiresAt } = tenant.versions;
    if (expiresAt !== null) this.#write(el('ib', {}, [el('client_expiration', { t: String(expiresAt) })]));
    // A passive login gets nothing before it says that it is active.
    if (!payload.passive) this.#mailbox.startDrain();
  }

  #received(node: Node): void {
    this.#tenant.log.add(this.lineId, 'in', node);
    if (this.#state === 'registering') {
      this.#receivedWhileRegistering(node);
      return;
    }
    if (this.#state !== 'active') return;
    const isAck = node.tag === 'ack' && node.attrs.class === 'status';
    if (isAck || isPromptReceipt(this.#tenant, this.#sender, node)) this.#unacked.delete(node.attrs.id ?? '');
    const batch = node.tag === 'ib' ? child(node, 'offline_batch') : undefined;
    if (batch) {
      this.#mailbox?.grant(Number(batch.attrs.count ?? 100) || 100);
      return;
    }
    this.#network.router.take(this.#sender, node, {
      reply: (answer) => this.#write(answer),
      acknowledge: (ack) => this.#disturbance.acknowledge(ack),
    });
  }

  #receivedWhileRegistering(node: Node): void {
    if (node.tag !== 'iq' || !this.#candidate) return;
    if (node.attrs.type === 'result' || node.attrs.type === 'error') {
      this.#network.pairing.answered(this.#candidate, node);
      return;
    }
    const reg = node.attrs.xmlns === 'md' ? child(node, 'link_code_companion_reg') : undefined;
    if (reg) {
      this.#write(this.#network.pairing.codes.answer(this.#candidate, node, reg));
      return;
    }
    // Without an account nothing else but a ping can be answered.
    const isPing = node.attrs.xmlns === 'w:p';
    const outcome = answerIq(this.#tenant, this.#sender, isPing ? node : el('iq', { id: node.attrs.id }));
    if (!(outcome instanceof Promise)) this.#write(outcome.answer);
  }

  #write(node: Node, note?: string): void {
    if (this.#state === 'ended') return;
    this.#tenant.log.add(this.lineId, 'out', node, note);
    this.#connection.send(node);
  }

  #fail(reason: number): void {
    this.#write(el('failure', { reason: String(reason), location: LOCATION }));
    this.#connection.close(`login failure ${reason}`);
  }

  #streamError(attrs: Record<string, string>, content?: Node[]): void {
    this.#write(el('stream:error', attrs, content));
    this.#connection.close(`stream error ${attrs.code ?? content?.[0]?.attrs.type ?? ''}`);
  }

  #logOut(): void {
    if (this.#state === 'active') removeCompanion(this.#tenant, this.pn, this.device);
    else this.cut('fault: logged out');
  }

  /** WhatsApp waits 50 minutes for the right acknowledgement, and then ends the stream. */
  #expectAck(node: Node): void {
    if (this.#unacked.size < UNACKED_MAX) this.#unacked.set(node.attrs.id ?? '', node);
    this.#ackTimer ??= this.#tenant.clock.after(ACK_PATIENCE_MS, () => {
      this.#ackTimer = undefined;
      const [first] = this.#unacked.values();
      if (!first) return;
      const owed = { class: first.tag, id: first.attrs.id, type: first.attrs.type };
      this.#streamError({}, [el('ack', owed)]);
    });
  }

  #blackHole(forMs: number): void {
    this.#connection.hold();
    this.#holdTimer?.cancel();
    this.#holdTimer = this.#tenant.clock.after(forMs, () => this.#connection.release());
  }

  #ended(reason: string): void {
    if (this.#state === 'ended') return;
    this.#tenant.log.add(this.lineId, 'out', el('closed', {}), reason);
    this.#state = 'ended';
    this.#disturbance.stop();
    this.#holdTimer?.cancel();
    this.#ackTimer?.cancel();
    if (this.#candidate) this.#network.pairing.left(this.#candidate);
    if (this.#mailbox) {
      this.#tenant.delivery.detach(this);
      this.#network.router.presence.left(this);
    }
    this.#onEnd(this);
  }

  get #tenant(): TenantNetwork['tenant'] {
    return this.#network.tenant;
  }
}

/** The last part of the version that a client says it is; 0 when it says none. */
const revisionOf = (payload: ClientPayload): number => payload.userAgent?.appVersion?.tertiary ?? 0;
