import { bytes, child, type Node } from '@ponte/engine';
import { forgeAccountSignature, forgeHmac } from '../faults/forged-identity.ts';
import { LinkError, type LinkOffer } from '../phone/network.ts';
import { type Account, deviceJid, LimitError } from './accounts.ts';
import { nowSeconds, type Timer } from './clock.ts';
import { announceDevices } from './companions.ts';
import { LinkCodes } from './link-codes.ts';
import type { Candidate, ConfirmLink } from './pairing-candidate.ts';
import { hexId } from './rng.ts';
import { el, SERVER_JID } from './stanzas.ts';
import type { Tenant } from './tenant.ts';

const REFS = 6;
/**
 * A client shows the first ref for 60 s and each further one for 20 s (Baileys socket.js, whatsmeow
 * qrchan.go).
 */
const FIRST_REF_MS = 60_000;
const NEXT_REF_MS = 20_000;
/** Scans of a ref that has just gone off the screen still work. */
const REF_GRACE_MS = 5_000;
const ANSWER_MS = 30_000;

interface Ref {
  candidate: Candidate;
  expiresAtMs: number;
}

interface Waiting {
  candidate: Candidate;
  answered: (answer: Node) => void;
  gone: (reason: string) => void;
}

/** Linked devices beside the phone, as WhatsApp allows. */
const COMPANIONS_MAX = 4;

export type Pairing = ReturnType<typeof createPairing>;

/**
 * Pairing by QR. registering → (refs shown) → scanned → pair-success → verified pair-device-sign →
 * 515, and the device exists from the verification on. A ref works once, while it is shown (60 s,
 * then 20 s each), and only for the connection that got it.
 */
export function createPairing(tenant: Tenant) {
  const refs = createRefs(tenant);
  const waiting = new Map<string, Waiting>();

  /** From the offer to the device: pair-success, the line's answer, 515. */
  async function link(
    candidate: Candidate,
    account: Account,
    offer: LinkOffer,
    confirm: ConfirmLink,
  ): Promise<{ deviceJid: string }> {
    refuseWhenFull(tenant, account);
    refuseOutdated(tenant, candidate);
    askForPasskey(tenant, candidate);
    const device = tenant.accounts.nextDeviceId(account.pn);
    refs.withdraw(candidate);
    const answer = await ask(tenant, waiting, candidate, pairSuccess(tenant, candidate, account, device, offer));
    const signed = bytes(child(child(answer, 'pair-device-sign'), 'device-identity'));
    const isGone = tenant.accounts.byPn(account.pn) === undefined;
    if (isGone || answer.attrs.type !== 'result' || !signed) {
      candidate.fail('not linked');
      throw new LinkError(isGone ? 'the phone was deleted meanwhile' : 'the line refused to be linked');
    }
    const link = confirmed(candidate, () => confirm(offer.ref, signed));
    keepDevice(tenant, account.pn, device, candidate, link);
    announceDevices(tenant, account, 'add', device);
    candidate.restart();
    return { deviceJid: deviceJid(account, device, 'pn') };
  }

  /**
   * The server's wish that the client draws a new secret and shows its QR again (whatsmeow and zapo
   * since 2026-07).
   */
  function refreshSecret(candidate: Candidate): void {
    const t = String(nowSeconds(tenant.clock));
    const attrs = { from: SERVER_JID, id: hexId(tenant.rng, 8), t, type: 'companion_reg_refresh' };
    candidate.send(el('notification', attrs, [el('companion_reg_refresh')]));
  }

  const codes = new LinkCodes(tenant, link, refreshSecret);

  return {
    showRefs: refs.show,
    refreshSecret,
    /** The answer of a candidate to an `<iq>` of ours. */
    answered(candidate: Candidate, iq: Node): void {
      const wait = waiting.get(iq.attrs.id ?? '');
      if (wait?.candidate === candidate) wait.answered(iq);
    },
    /** The candidate's connection is gone: its refs are, too. */
    left(candidate: Candidate): void {
      refs.withdraw(candidate);
      codes.left(candidate);
      for (const wait of waiting.values()) {
        if (wait.candidate === candidate) wait.gone('the line closed its connection');
      }
    },
    /**
     * Links the connection that shows `offer.ref` to the account. Rejects with LinkError; nothing
     * is linked then.
     */
    async pair(account: Account, offer: LinkOffer, confirm: ConfirmLink): Promise<{ deviceJid: string }> {
      return link(refs.candidateFor(offer), account, offer, confirm);
    },
    codes,
  };
}

/** The refs that connections show at the moment. */
function createRefs(tenant: Tenant) {
  const refs = new Map<string, Ref>();
  const shown = new Map<Candidate, string[]>();

  function withdraw(candidate: Candidate): void {
    for (const name of shown.get(candidate) ?? []) refs.delete(name);
    shown.delete(candidate);
  }

  return {
    withdraw,
    /** Gives a connection six new refs; its earlier ones end. */
    show(candidate: Candidate): void {
      withdraw(candidate);
      const now = tenant.clock.nowMs();
      const names = Array.from({ length: REFS }, () => `2@${Buffer.from(tenant.rng.bytes(48)).toString('base64')}`);
      for (const [i, name] of names.entries()) {
        refs.set(name, { candidate, expiresAtMs: now + FIRST_REF_MS + i * NEXT_REF_MS + REF_GRACE_MS });
      }
      shown.set(candidate, names);
      const content = names.map((name) => el('ref', {}, Buffer.from(name)));
      const attrs = { from: SERVER_JID, type: 'set', id: hexId(tenant.rng, 8), xmlns: 'md' };
      candidate.send(el('iq', attrs, [el('pair-device', {}, content)]));
    },
    /**
     * The connection that a scanned QR belongs to. Throws LinkError when there is none, or another.
     */
    candidateFor(offer: LinkOffer): Candidate {
      const ref = refs.get(offer.ref);
      if (!ref) throw new LinkError('qr: no line shows this code (any more); scan the one it shows now');
      if (ref.expiresAtMs < tenant.clock.nowMs()) {
        throw new LinkError('qr: this code has expired; scan the one shown now');
      }
      const { candidate } = ref;
      const isSame =
        Buffer.compare(candidate.noiseKey, offer.companionNoiseKey) === 0 &&
        Buffer.compare(candidate.identity, offer.companionIdentityKey) === 0;
      if (!isSame) throw new LinkError('qr: the keys in the code are not those of the connection that got its ref');
      return candidate;
    },
  };
}

function keepDevice(tenant: Tenant, pn: string, id: number, candidate: Candidate, link: ReturnType<ConfirmLink>): void {
  const { lineId, noiseKey, identity, registrationId, signedPreKey, platform } = candidate;
  tenant.accounts.saveDevice({
    ...{ pn, id, lineId, noiseKey, identity, registrationId, signedPreKey, platform },
    keyIndex: link.keyIndex,
    advIdentity: link.signedIdentity,
    linkedAt: nowSeconds(tenant.clock),
  });
}

function askForPasskey(tenant: Tenant, candidate: Candidate): void {
  if (candidate.lineId === undefined || !tenant.faults(candidate.lineId).take('passkey_required')) return;
  candidate.send(passkeyRequest(tenant));
  throw new LinkError('not linked: the line was asked for a passkey first (fault passkey_required)');
}

function refuseWhenFull(tenant: Tenant, account: Account): void {
  if (tenant.accounts.devices(account.pn).length > COMPANIONS_MAX) {
    throw new LimitError(`phone ${account.pn} already has ${COMPANIONS_MAX} linked devices: unlink one first`);
  }
}

/** The phone of an account says no more than this about a client that is too old to be linked. */
function refuseOutdated(tenant: Tenant, { revision }: Candidate): void {
  if (revision >= tenant.versions.minPairing) return;
  throw new LinkError(`Couldn't link device: the network links no client of version ${revision} any more`);
}

/**
 * `<notification type="passkey_prologue_request">` with WebAuthn options: the line must show a
 * passkey, or give up (whatsmeow pair-passkey.go).
 */
function passkeyRequest(tenant: Tenant): Node {
  const challenge = Buffer.from(tenant.rng.bytes(32)).toString('base64url');
  const options = {
    challenge,
    rpId: 'whatsapp.com',
    allowCredentials: [],
    userVerification: 'required',
    timeout: 60_000,
  };
  const attrs = { from: SERVER_JID, id: hexId(tenant.rng, 8), t: String(nowSeconds(tenant.clock)) };
  return el('notification', { ...attrs, type: 'passkey_prologue_request' }, [
    el('passkey_request_options', {}, Buffer.from(JSON.stringify(options))),
  ]);
}

function confirmed<T>(candidate: Candidate, confirm: () => T): T {
  try {
    return confirm();
  } catch (error) {
    candidate.fail('pair-device-sign does not verify');
    throw error;
  }
}

function pairSuccess(tenant: Tenant, candidate: Candidate, account: Account, device: number, offer: LinkOffer): Node {
  const faults = candidate.lineId === undefined ? undefined : tenant.faults(candidate.lineId);
  let identity = offer.deviceIdentityHmac;
  if (faults?.takeHostile('bad_hmac')) identity = forgeHmac(identity);
  if (faults?.takeHostile('bad_account_signature')) identity = forgeAccountSignature(identity, offer.advSecret);
  const content = [
    el('device-identity', {}, identity),
    el('device', { jid: deviceJid(account, device, 'pn'), lid: deviceJid(account, device, 'lid') }),
    el('platform', { name: 'android' }),
  ];
  if (account.isBusiness) content.push(el('biz', { name: account.name }));
  const attrs = {
    from: SERVER_JID,
    type: 'set',
    id: hexId(tenant.rng, 8),
    xmlns: 'md',
    t: String(nowSeconds(tenant.clock)),
  };
  return el('iq', attrs, [el('pair-success', {}, content)]);
}

/** Sends an `<iq>` to a candidate and waits for its answer, half a minute at most. */
function ask(tenant: Tenant, waiting: Map<string, Waiting>, candidate: Candidate, iq: Node): Promise<Node> {
  const id = iq.attrs.id ?? '';
  return new Promise<Node>((resolve, reject) => {
    let timer: Timer | undefined;
    const settle = (): void => {
      timer?.cancel();
      waiting.delete(id);
    };
    const refuse = (reason: string): void => {
      settle();
      reject(new LinkError(`not linked: ${reason}`));
    };
    timer = tenant.clock.after(ANSWER_MS, () => {
      refuse(`the line did not answer within ${ANSWER_MS / 1000} seconds`);
      candidate.fail('no answer to pair-success');
    });
    waiting.set(id, {
      candidate,
      gone: refuse,
      answered: (answer) => {
        settle();
        resolve(answer);
      },
    });
    candidate.send(iq);
  });
}
