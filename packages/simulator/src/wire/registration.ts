import { verify, withPrefix } from '../signal/curve.ts';
import { readBigEndian } from '../world/stanzas.ts';
import { type ClientPayload, proto } from './wire-proto.ts';

/** What a client without an account says of itself in its ClientPayload (`devicePairingData`). */
export interface Registration {
  identity: Uint8Array;
  registrationId: number;
  signedPreKey: { id: number; key: Uint8Array; signature: Uint8Array };
  /** `Mac OS`, `Ubuntu` …: what the phone shows in its list of linked devices. */
  platform: string;
  /** Version of that system, and the number of the kind of client, as it says them. */
  osVersion: string;
  platformType: string;
}

/** Undefined when something is missing, or the signed pre-key is not signed by the identity. */
export function readRegistration(payload: ClientPayload): Registration | undefined {
  const data = payload.devicePairingData;
  const identity = data?.eIdent;
  const key = data?.eSkeyVal;
  const signature = data?.eSkeySig;
  const id = readBigEndian(data?.eSkeyId ?? undefined);
  const registrationId = readBigEndian(data?.eRegid ?? undefined);
  if (!data || id === undefined || registrationId === undefined) return undefined;
  if (identity?.length !== 32 || key?.length !== 32 || signature?.length !== 64) return undefined;
  if (!verify(identity, withPrefix(key), signature)) return undefined;
  const props = data.deviceProps ? proto.DeviceProps.decode(data.deviceProps) : undefined;
  const { primary = 0, secondary = 0, tertiary = 0 } = props?.version ?? {};
  return {
    identity,
    registrationId,
    signedPreKey: { id, key, signature },
    platform: props?.os ?? '',
    osVersion: [primary, secondary, tertiary].join('.'),
    platformType: String(props?.platformType ?? ''),
  };
}
