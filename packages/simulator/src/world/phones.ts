import { formatJid, SERVER_LID, SERVER_PN } from '@ponte/engine';
import type { PhoneSettings } from '../phone/network.ts';
import { Phone } from '../phone/phone.ts';
import type { Account } from './accounts.ts';
import type { Endpoint } from './mailbox.ts';
import { linkOf, phoneEndpoint } from './phone-endpoint.ts';
import { type Life, phoneStore } from './phone-store.ts';
import type { Router } from './router.ts';
import { contactSalt } from './tc-tokens.ts';
import type { Sender, Tenant } from './tenant.ts';
import { Turns } from './turns.ts';

export const DEFAULT_PHONE_SETTINGS: PhoneSettings = {
  autoReceipts: 'delivered',
  online: true,
  addressing: 'lid',
  replyEcho: false,
};

interface RunningPhone {
  life: Life;
  phone: Phone;
  started: Promise<void>;
  endpoint: Endpoint;
}

/**
 * The virtual phones of a tenant: ordinary devices behind the router, in this process. They are
 * made when first needed (asked for, or mail arrives). What a phone sends the server has at once;
 * what the server sends a phone arrives on a later turn of the event loop.
 */
export class Phones {
  readonly #tenant: Tenant;
  readonly #router: Router;
  readonly #running = new Map<string, RunningPhone>();
  readonly #turns: Turns;
  #isClosed = false;

  constructor(tenant: Tenant, router: Router) {
    this.#tenant = tenant;
    this.#router = router;
    this.#turns = new Turns((cause) => tenant.problem('a stanza of a phone was not handled', cause));
  }

  settingsOf(pn: string): PhoneSettings {
    const stored = this.#tenant.accounts.byPn(pn)?.settings;
    return {
      ...DEFAULT_PHONE_SETTINGS,
      ...(stored === undefined ? {} : (JSON.parse(stored) as Partial<PhoneSettings>)),
    };
  }

  /** The phone of an account, started. Undefined when the number is not on this network. */
  async get(pn: string): Promise<Phone | undefined> {
    const account = this.#tenant.accounts.byPn(pn);
    if (!account) return undefined;
    const made = this.#running.get(pn) ?? this.#run(account);
    await made.started;
    return made.phone;
  }

  /** Mail arrived for a phone that is not connected: it is started, unless it is switched off. */
  wake(pn: string): void {
    const account = this.#tenant.accounts.byPn(pn);
    if (account && !this.#running.has(pn) && !this.#isClosed && this.settingsOf(pn).online) this.#run(account);
  }

  updateSettings(pn: string, changes: Partial<PhoneSettings>): PhoneSettings {
    const { accounts } = this.#tenant;
    const account = accounts.byPn(pn);
    const settings = { ...this.settingsOf(pn), ...changes };
    if (!account) return settings;
    accounts.save({ ...account, settings: JSON.stringify(settings) });
    const made = this.#running.get(pn) ?? (settings.online ? this.#run(account) : undefined);
    if (made && settings.online)
      made.started.then(
        () => this.#connect(made),
        () => undefined,
      );
    else if (made) this.#disconnect(made);
    return settings;
  }

  /** Forgets a phone that is being deleted. */
  drop(pn: string): void {
    const made = this.#running.get(pn);
    this.#running.delete(pn);
    if (!made) return;
    made.life.isOver = true;
    this.#disconnect(made);
  }

  /** Forgets every phone; what the database has of them stays. */
  reset(): void {
    for (const made of this.#running.values()) made.life.isOver = true;
    this.#running.clear();
    this.#turns.forget();
  }

  close(): void {
    this.#isClosed = true;
    this.reset();
    this.#turns.close();
  }

  #run(account: Account): RunningPhone {
    const tenant = this.#tenant;
    const { pn } = account;
    const sender: Sender = { pn, device: 0, lineId: undefined };
    // A phone that was deleted may still be at work on something; what it does then must leave no
    // trace.
    const life: Life = { isOver: false };
    const phone = new Phone({
      jid: formatJid(pn, SERVER_PN),
      lid: formatJid(account.lid, SERVER_LID),
      name: account.name,
      link: linkOf(tenant, this.#router, sender, life),
      store: phoneStore(tenant.db, tenant.name, pn, life),
      clock: tenant.clock,
      rng: tenant.rng,
      media: tenant.media,
      settings: () => this.settingsOf(pn),
      contactSalt: () => contactSalt(tenant, pn),
      sealsEdits: () => tenant.demands.sealedEdits,
    });
    const endpoint = phoneEndpoint(tenant, pn, phone, life, this.#turns);
    const made: RunningPhone = { phone, endpoint, life, started: phone.start() };
    this.#running.set(pn, made);
    made.started.then(
      () => {
        if (!life.isOver && this.settingsOf(pn).online) this.#connect(made);
      },
      (cause: unknown) => {
        if (life.isOver) return;
        this.#running.delete(pn);
        tenant.problem(`phone ${pn} did not start`, cause);
      },
    );
    return made;
  }

  #connect(made: RunningPhone): void {
    const { delivery } = this.#tenant;
    if (delivery.endpoint(made.endpoint.pn, 0) === made.endpoint) return;
    made.endpoint.isAvailable = true;
    delivery.attach(made.endpoint).startLive();
  }

  #disconnect(made: RunningPhone): void {
    this.#tenant.delivery.detach(made.endpoint);
    this.#router.presence.left(made.endpoint);
  }
}
