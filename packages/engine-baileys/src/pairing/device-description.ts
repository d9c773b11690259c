import { Browsers, getCompanionPlatformId, proto } from '../baileys.ts';

/**
 * What this device says it is, everywhere the same: to phones when it pairs (QR, code, list of
 * linked devices) and to the server at every login. A pair of system and browser that WhatsApp
 * knows, or pairing is refused (whatsapp-rust f4f88e10).
 */
export const BROWSER = Browsers.windows('Chrome');

/** As phones show it, and its number, for pairing by code. */
export const PLATFORM_DISPLAY = `${BROWSER[1]} (${BROWSER[0]})`;
export const PLATFORM_ID = getCompanionPlatformId(BROWSER);

/** Windows 10, and 11, which calls itself so too. */
const OS_VERSION = { primary: 10, secondary: 0, tertiary: 0 };

/**
 * What a client says of itself at the end of the handshake, before it is encoded: Baileys' own
 * words, with the version of the system that it names instead of one of macOS, and with the number
 * of this login (whatsapp-rust #630: WhatsApp Web counts).
 */
export function completePayload(payload: proto.IClientPayload, nextLogin: () => number): void {
  const pairing = payload.devicePairingData;
  if (!pairing) {
    payload.lc = nextLogin();
    return;
  }
  if (!pairing.deviceProps) return;
  const props = proto.DeviceProps.decode(pairing.deviceProps);
  props.version = OS_VERSION;
  pairing.deviceProps = proto.DeviceProps.encode(props).finish();
}
