/** What a person does on the phone, step by step. */
export const PAIRING_STEPS = {
  qr: [
    'Open WhatsApp on the phone whose number is to be linked.',
    'Tap Linked devices (Android: the three dots; iPhone: Settings), then Link a device, and confirm with finger, face or PIN.',
    'Point the camera at the QR. It changes every 20 seconds or so: always scan the newest.',
    'The phone says "Logging in…", then lists the new device. Leave WhatsApp open until it does.',
  ],
  code: [
    'Open WhatsApp on the phone with exactly this number.',
    'Tap Linked devices, Link a device, then "Link with phone number instead" below the camera.',
    'Type the eight characters. A code is good for about three minutes; a new one replaces it.',
    'The phone says "Logging in…", then lists the new device. Leave WhatsApp open until it does.',
  ],
} as const satisfies Record<'qr' | 'code', readonly string[]>;

/** What the phone may say instead, what that means, and what to do. */
export const PAIRING_REFUSALS = [
  {
    sees: 'Couldn’t link device. Try again later.',
    means: 'WhatsApp refused: nearly always because the announced version is too old, else after too many tries.',
    remedy:
      'Run "ponte whatsapp-version refresh" (or set a newer one) and ask for a new QR. If it stays, wait an hour: every try counts.',
  },
  {
    sees: 'You can only link 4 devices / Maximum number of linked devices reached',
    means: 'The account has four linked devices already.',
    remedy: 'Remove one under Linked devices on the phone, then scan again.',
  },
  {
    sees: 'The phone asks for a passkey, or to confirm on this device',
    means: 'WhatsApp protects this account’s links with a passkey, which cannot be given here (passkey_required).',
    remedy: 'Remove the passkey in WhatsApp’s settings (Account, Passkeys), then pair again.',
  },
  {
    sees: 'Wrong code / Check the code and try again',
    means: 'The code was mistyped, has run out, was replaced by a newer one, or was made for another number.',
    remedy: 'Ask for a new code with the number of this very phone, country code first.',
  },
  {
    sees: 'No valid QR code / nothing happens when scanning',
    means: 'The QR has run out, or it was scanned with the camera app instead of WhatsApp.',
    remedy: 'Scan the newest QR from inside WhatsApp (Link a device).',
  },
  {
    sees: 'The phone stays at "Logging in…"',
    means: 'The phone has no connection, or this server lost its own while linking.',
    remedy: 'Check both connections; after a minute close WhatsApp on the phone and begin anew.',
  },
] as const;
