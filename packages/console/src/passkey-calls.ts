import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
  WebAuthnError,
} from '@simplewebauthn/browser';
import { ApiError, api } from './api.ts';
import type { Passkey } from './shapes.ts';

/** True where the browser would take a passkey: on https or localhost, under a name. */
export const mayUsePasskeys = (): boolean =>
  isSecureContext && browserSupportsWebAuthn() && !/^[\d.]+$|^\[/.test(location.hostname);

/** Makes a passkey on this device and gives it to the server. */
export async function addPasskey(name: string, password: string): Promise<void> {
  const { options } = await api<{ options: PublicKeyCredentialCreationOptionsJSON }>('POST', '/passkeys/options', {
    password,
  });
  const response = await asked(startRegistration({ optionsJSON: options }));
  await api<Passkey>('POST', '/passkeys', { name, response });
}

export async function signInWithPasskey(): Promise<void> {
  const { options } = await api<{ options: PublicKeyCredentialRequestOptionsJSON }>('POST', '/session/passkey/options');
  const response = await asked(startAuthentication({ optionsJSON: options }));
  await api('POST', '/session/passkey', { response });
}

/** What the person or the device said no to, as a refusal with a code of ours. */
async function asked<T>(ceremony: Promise<T>): Promise<T> {
  try {
    return await ceremony;
  } catch (error) {
    const isKnown = error instanceof WebAuthnError && error.code === 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED';
    throw new ApiError(400, isKnown ? 'passkey_known' : 'passkey_not_given', String(error));
  }
}
