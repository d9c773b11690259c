import type { CertificateFlaw } from '../wire/certificates.ts';
import type { Clock } from '../world/clock.ts';
import { CERTIFICATE_FLAWS, type FaultRule, type HostileVariant } from './rules.ts';

type Counted =
  | 'lose_acks'
  | 'duplicate'
  | 'reorder'
  | 'bad_mac'
  | 'passkey_required'
  | 'late_reg_refresh'
  | 'refresh_lid';

/** What `GET /lines/{id}/faults` shows of a rule that still waits. */
export type ActiveFault = FaultRule;

/**
 * The faults of one line that are still to happen. A rule of a kind replaces the earlier one of
 * that kind (hostile: of that variant); nothing accumulates. Lives in memory: a restart of the
 * network is a line without faults.
 */
export class LineFaults {
  readonly #clock: Clock;
  readonly #counts = new Map<Counted, number>();
  readonly #hostile = new Set<HostileVariant>();
  #reject = { code: 0, count: 0 };
  #media = { status: 0, count: 0 };
  #failure: number | undefined;
  #refuseUntilMs = 0;
  #blackHoleUntilMs = 0;
  #restrictedUntilMs = 0;
  #coldUntilMs = 0;
  #slow = { ms: 0, untilMs: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Remembers a rule that acts later. Rules that act at once are the caller's; they are not kept.
   */
  set(rule: FaultRule): void {
    const now = this.#clock.nowMs();
    if (rule.kind === 'refuse') this.#refuseUntilMs = now + rule.forMs;
    else if (rule.kind === 'black_hole') this.#blackHoleUntilMs = now + rule.forMs;
    else if (rule.kind === 'restricted') this.#restrictedUntilMs = now + rule.forMs;
    else if (rule.kind === 'cold_contacts') this.#coldUntilMs = now + rule.forMs;
    else if (rule.kind === 'slow_acks') this.#slow = { ms: rule.ms, untilMs: now + rule.forMs };
    else if (rule.kind === 'reject_sends') this.#reject = { code: rule.code, count: rule.count };
    else if (rule.kind === 'media_fail') this.#media = { status: rule.status, count: rule.count };
    else if (rule.kind === 'hostile') this.#hostile.add(rule.variant);
    else if ('count' in rule) this.#counts.set(rule.kind, rule.count);
  }

  /** The next login is answered `<failure reason=code>`. */
  failNextLogin(code: number): void {
    this.#failure = code;
  }

  clear(): void {
    this.#counts.clear();
    this.#hostile.clear();
    this.#reject = { code: 0, count: 0 };
    this.#media = { status: 0, count: 0 };
    this.#failure = undefined;
    this.#refuseUntilMs = 0;
    this.#blackHoleUntilMs = 0;
    this.#restrictedUntilMs = 0;
    this.#coldUntilMs = 0;
    this.#slow = { ms: 0, untilMs: 0 };
  }

  get refuses(): boolean {
    return this.#refuseUntilMs > this.#clock.nowMs();
  }

  get blackHoleLeftMs(): number {
    return Math.max(0, this.#blackHoleUntilMs - this.#clock.nowMs());
  }

  /**
   * WhatsApp restricted this account: it may write only to people who gave it a trusted-contact
   * token.
   */
  get isRestricted(): boolean {
    return this.#restrictedUntilMs > this.#clock.nowMs();
  }

  /** Milliseconds since 1970; undefined while the account is not restricted. */
  get restrictedUntilMs(): number | undefined {
    return this.isRestricted ? this.#restrictedUntilMs : undefined;
  }

  /** First messages need a token: the other side's, or one made with the account's salt. */
  get wantsTokens(): boolean {
    return this.#coldUntilMs > this.#clock.nowMs();
  }

  get ackDelayMs(): number {
    return this.#slow.untilMs > this.#clock.nowMs() ? this.#slow.ms : 0;
  }

  /** How many stanzas the line's `reorder` still wants to shuffle. */
  get reorderCount(): number {
    return this.#counts.get('reorder') ?? 0;
  }

  /** Uses one of a counted rule up. False when there is none left. */
  take(kind: Counted): boolean {
    const left = this.#counts.get(kind) ?? 0;
    if (left <= 1) this.#counts.delete(kind);
    else this.#counts.set(kind, left - 1);
    return left > 0;
  }

  /** The shuffle is over. */
  endReorder(): void {
    this.#counts.delete('reorder');
  }

  takeReject(): number | undefined {
    if (this.#reject.count === 0) return undefined;
    this.#reject.count -= 1;
    return this.#reject.code;
  }

  /** The HTTP status that the media host answers the next request with. */
  takeMediaFailure(): number | undefined {
    if (this.#media.count === 0) return undefined;
    this.#media.count -= 1;
    return this.#media.status;
  }

  takeLoginFailure(): number | undefined {
    const code = this.#failure;
    this.#failure = undefined;
    return code;
  }

  takeHostile(variant: HostileVariant): boolean {
    return this.#hostile.delete(variant);
  }

  takeCertificateFlaw(): CertificateFlaw | undefined {
    return CERTIFICATE_FLAWS.find((flaw) => this.#hostile.delete(flaw));
  }

  list(): ActiveFault[] {
    const now = this.#clock.nowMs();
    const out: ActiveFault[] = [];
    if (this.#refuseUntilMs > now) out.push({ kind: 'refuse', forMs: this.#refuseUntilMs - now });
    if (this.#blackHoleUntilMs > now) out.push({ kind: 'black_hole', forMs: this.#blackHoleUntilMs - now });
    if (this.#restrictedUntilMs > now) out.push({ kind: 'restricted', forMs: this.#restrictedUntilMs - now });
    if (this.#coldUntilMs > now) out.push({ kind: 'cold_contacts', forMs: this.#coldUntilMs - now });
    if (this.#slow.untilMs > now) out.push({ kind: 'slow_acks', ms: this.#slow.ms, forMs: this.#slow.untilMs - now });
    if (this.#reject.count > 0) out.push({ kind: 'reject_sends', ...this.#reject });
    if (this.#media.count > 0) out.push({ kind: 'media_fail', ...this.#media });
    if (this.#failure !== undefined) out.push({ kind: 'stream_error', code: this.#failure });
    for (const [kind, count] of this.#counts) out.push({ kind, count });
    for (const variant of this.#hostile) out.push({ kind: 'hostile', variant });
    return out;
  }
}
