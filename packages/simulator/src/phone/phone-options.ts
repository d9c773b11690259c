import type { Jid } from '@ponte/engine';
import type { DeviceLink, PhoneClock, PhoneMedia, PhoneRng, PhoneSettings, PhoneStore } from './network.ts';

/** What the world gives a phone. */
export interface PhoneOptions {
  jid: Jid;
  lid: Jid;
  name: string;
  link: DeviceLink;
  store: PhoneStore;
  clock: PhoneClock;
  rng: PhoneRng;
  media: PhoneMedia;
  /** Asked whenever it matters; the world keeps them. */
  settings: () => PhoneSettings;
  /** What companions make tokens for strangers with. Default: there is none. */
  contactSalt?: () => Uint8Array;
  /** True: what this phone edits is sealed with the secret of the message. Default: yes. */
  sealsEdits?: () => boolean;
}
