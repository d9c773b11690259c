import { bytes, child, type Node, text } from '@ponte/engine';
import type { CodeEntry } from '../phone/link-code.ts';
import { CodeMismatchError, LinkError, type LinkOffer } from '../phone/network.ts';
import type { Account } from './accounts.ts';
import { nowSeconds, type Timer } from './clock.ts';
import type { Candidate, ConfirmLink } from './pairing-candidate.ts';
import { hexId } from './rng.ts';
import { el, SERVER_JID } from './stanzas.ts';
import type { Tenant } from './tenant.ts';

/** Codes are shown for about three minutes (WhatsApp Web draws a new one after 180 s). */
const CODE_MS = 180_000;
const FINISH_MS = 30_000;
const OPEN_MAX = 10_000;
/** `Chrome (Windows)`: anything else is refused (whatsmeow PairPhone). */
const DISPLAY = /^[^()]{1,60} \([^()]{1,60}\)$/;

/** A line that shows a code, as its `companion_hello` announced it. */
interface Hello {
  ref: string;
  candidate: Candidate;
  pn: string;
  wrappedKey: Uint8Array;
  untilMs: number;
  /** Runs until the code is stale. */
  timer: Timer | undefined;
  finish: ((finish: Finish) => void) | undefined;
  gone: ((reason: string) => void) | undefined;
}

interface Finish {
  identity: Uint8Array;
  bundle: Uint8Array;
}

type Link = (
  candidate: Candidate,
  account: Account,
  offer: LinkOffer,
  confirm: ConfirmLink,
) => Promise<{ deviceJid: string }>;

/**
 * Linking by an eight-character code: companion_hello (a line shows a code for a phone) → the code
 * is typed on that phone → primary_hello → companion_finish → pair-success as after a scan. Shapes:
 * Baileys socket.js and messages-recv.js, whatsmeow pair-code.go.
 */
export class LinkCodes {
  readonly #tenant: Tenant;
  readonly #link: Link;
  readonly #refresh: (candidate: Candidate) => void;
  readonly #hellos = new Map<string, Hello>();

  constructor(tenant: Tenant, link: Link, refresh: (candidate: Candidate) => void) {
    this.#tenant = tenant;
    this.#link = link;
    this.#refresh = refresh;
  }

  /** `<iq xmlns="md"><link_code_companion_reg stage>` of a line that has no account yet. */
  answer(candidate: Candidate, iq: Node, reg: Node): Node {
    if (reg.attrs.stage === 'companion_hello') return this.#hello(candidate, iq, reg);
    if (reg.attrs.stage === 'companion_finish') return this.#finish(candidate, iq, reg);
    return answerTo(iq, [], 400);
  }

  /** The candidate's connection is gone. */
  left(candidate: Candidate): void {
    this.#forget(candidate, 'the line closed its connection');
  }

  /**
   * A code is typed on a phone: links the line that asked for a code for this phone last. Rejects
   * with CodeMismatchError when it is not that line's code (the line may be tried again with the
   * right one), and with LinkError.
   */
  async enter(account: Account, phone: CodeEntry, code: string): Promise<{ deviceJid: string }> {
    const now = this.#tenant.clock.nowMs();
    const isOpen = (hello: Hello): boolean => hello.pn === account.pn && hello.untilMs >= now && !hello.finish;
    const open = [...this.#hellos.values()].findLast(isOpen);
    if (!open) throw new CodeMismatchError('code: no line shows a code for this phone (any more); ask for a new one');
    const begun = await phone.begin(code, open.wrappedKey);
    const { identityKey } = phone;
    const finished = await this.#exchange(open, { wrappedKey: begun.wrappedKey, identityKey });
    const advSecret = phone.finish(begun.open, finished.identity, finished.bundle);
    const { candidate } = open;
    if (Buffer.compare(finished.identity, candidate.identity) !== 0) {
      throw new CodeMismatchError('the line announced another identity than it registered with');
    }
    this.#drop(open.ref);
    const keys = { noiseKey: candidate.noiseKey, identityKey: finished.identity, advSecret };
    const offer = phone.offer({ ref: open.ref, ...keys });
    return this.#link(candidate, account, offer, (ref, identity) => phone.confirm(ref, identity));
  }

  #hello(candidate: Candidate, iq: Node, reg: Node): Node {
    const { accounts, clock, rng } = this.#tenant;
    const address = accounts.resolve(reg.attrs.jid);
    const wrappedKey = bytes(child(reg, 'link_code_pairing_wrapped_companion_ephemeral_pub'));
    const noiseKey = bytes(child(reg, 'companion_server_auth_key_pub'));
    const platform = text(child(reg, 'companion_platform_id')) ?? '';
    const display = text(child(reg, 'companion_platform_display')) ?? '';
    // One byte of zero, as WhatsApp Web says it (whatsapp-rust #976); older clients write the
    // digit.
    const nonce = bytes(child(reg, 'link_code_pairing_nonce'));
    const isWellFormed =
      nonce?.length === 1 &&
      address?.mode === 'pn' &&
      wrappedKey?.length === 80 &&
      DISPLAY.test(display) &&
      // One device, one description: the system that it registered with.
      display.endsWith(`(${candidate.platform})`) &&
      platform !== '';
    if (!isWellFormed || !noiseKey || Buffer.compare(noiseKey, candidate.noiseKey) !== 0) return answerTo(iq, [], 400);
    this.#forget(candidate, 'the line asked for a new code');
    const [oldest] = this.#hellos.keys();
    if (this.#hellos.size >= OPEN_MAX && oldest !== undefined) this.#drop(oldest);
    const ref = `2@${Buffer.from(rng.bytes(48)).toString('base64')}`;
    const untilMs = clock.nowMs() + CODE_MS;
    const { pn } = address.account;
    const open: Hello = {
      ref,
      candidate,
      pn,
      wrappedKey,
      untilMs,
      timer: undefined,
      finish: undefined,
      gone: undefined,
    };
    open.timer = clock.after(CODE_MS, () => this.#stale(open));
    this.#hellos.set(ref, open);
    const content = [el('link_code_pairing_ref', {}, Buffer.from(ref))];
    return answerTo(iq, [el('link_code_companion_reg', { stage: 'companion_hello' }, content)]);
  }

  #finish(candidate: Candidate, iq: Node, reg: Node): Node {
    const open = this.#hellos.get(text(child(reg, 'link_code_pairing_ref')) ?? '');
    const bundle = bytes(child(reg, 'link_code_pairing_wrapped_key_bundle'));
    const identity = bytes(child(reg, 'companion_identity_public'));
    if (open?.candidate !== candidate || !open.finish || !bundle || identity?.length !== 32) {
      return answerTo(iq, [], 400);
    }
    // Whether WhatsApp asks for another secret at this point is not known; a client must survive
    // it.
    const { lineId } = candidate;
    if (lineId !== undefined && this.#tenant.faults(lineId).take('late_reg_refresh')) this.#refresh(candidate);
    open.finish({ identity, bundle });
    return answerTo(iq, undefined);
  }

  #forget(candidate: Candidate, reason: string): void {
    for (const open of this.#hellos.values()) {
      if (open.candidate !== candidate) continue;
      this.#drop(open.ref);
      open.gone?.(reason);
    }
  }

  #drop(ref: string): void {
    this.#hellos.get(ref)?.timer?.cancel();
    this.#hellos.delete(ref);
  }

  /**
   * The code was shown for long enough: the line is told to draw a new one (zapo WaPairingFlow.ts,
   * `refresh_code`).
   */
  #stale(open: Hello): void {
    if (open.finish) return;
    this.#hellos.delete(open.ref);
    const attrs = { stage: 'refresh_code', force_manual_refresh: 'false' };
    const content = [el('link_code_pairing_ref', {}, Buffer.from(open.ref))];
    open.candidate.send(this.#notification(el('link_code_companion_reg', attrs, content)));
  }

  /** Says primary_hello to the line and waits for its companion_finish. */
  #exchange(open: Hello, primary: { wrappedKey: Uint8Array; identityKey: Uint8Array }): Promise<Finish> {
    return new Promise<Finish>((resolve, reject) => {
      let timer: Timer | undefined;
      const settle = (): void => {
        timer?.cancel();
        open.finish = undefined;
        open.gone = undefined;
      };
      open.finish = (finished) => {
        settle();
        resolve(finished);
      };
      open.gone = (reason) => {
        settle();
        reject(new LinkError(`not linked: ${reason}`));
      };
      timer = this.#tenant.clock.after(FINISH_MS, () => open.gone?.('the line did not answer to the code'));
      const content = [
        el('link_code_pairing_wrapped_primary_ephemeral_pub', {}, primary.wrappedKey),
        el('primary_identity_pub', {}, primary.identityKey),
        el('link_code_pairing_ref', {}, Buffer.from(open.ref)),
      ];
      open.candidate.send(this.#notification(el('link_code_companion_reg', { stage: 'primary_hello' }, content)));
    });
  }

  #notification(reg: Node): Node {
    const { clock, rng } = this.#tenant;
    const attrs = { from: SERVER_JID, id: hexId(rng, 8), t: String(nowSeconds(clock)) };
    return el('notification', { ...attrs, type: 'link_code_companion_reg' }, [reg]);
  }
}

function answerTo(iq: Node, content: Node[] | undefined, code?: number): Node {
  const attrs = { from: SERVER_JID, id: iq.attrs.id, type: code === undefined ? 'result' : 'error' };
  return el('iq', attrs, code === undefined ? content : [el('error', { code: String(code), text: 'bad-request' })]);
}
