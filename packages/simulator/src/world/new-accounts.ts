import { createHmac } from 'node:crypto';
import { SERVER_LID } from '@ponte/engine';
import { type Account, type Accounts, LimitError } from './accounts.ts';
import { type Clock, nowSeconds } from './clock.ts';
import type { Db } from './database.ts';
import { atomically } from './shared-commit.ts';

/** LIDs have 15 digits here. */
const LID_MIN = 10 ** 14;
const LID_SPAN = BigInt(9 * 10 ** 14);
const LID_ATTEMPTS = 100;

export interface NewAccount {
  name: string;
  about?: string;
  isBusiness?: boolean;
  isLidOnly?: boolean;
}

/**
 * Makes accounts with a phone and a LID; the same number again answers the existing one. A number
 * has the same LID whenever it is made, as on WhatsApp: contacts that remember it still reach it.
 * Throws LimitError.
 */
export function createNewAccounts(parts: {
  tenant: string;
  db: Db;
  clock: Clock;
  accounts: Accounts;
  lidSecret: Uint8Array;
}): (pn: string, fields: NewAccount) => Account {
  const { tenant, db, clock, accounts, lidSecret } = parts;

  function lidOf(pn: string): string {
    for (let attempt = 0; attempt < LID_ATTEMPTS; attempt++) {
      const hash = createHmac('sha256', lidSecret).update(`${tenant} ${pn} ${attempt}`).digest();
      const lid = String(LID_MIN + Number(hash.readBigUInt64BE() % LID_SPAN));
      if (!accounts.byLid(lid)) return lid;
    }
    throw new LimitError(`no free ${SERVER_LID} could be drawn`);
  }

  function create(pn: string, fields: NewAccount): Account {
    const { name, about = '', isBusiness = false, isLidOnly = false } = fields;
    const account = accounts.create({ pn, lid: lidOf(pn), name, about, isBusiness, isLidOnly }, nowSeconds(clock));
    accounts.saveDevice({
      pn,
      id: 0,
      lineId: undefined,
      noiseKey: undefined,
      identity: undefined,
      registrationId: undefined,
      signedPreKey: undefined,
      keyIndex: 0,
      advIdentity: undefined,
      platform: 'phone',
      linkedAt: nowSeconds(clock),
    });
    return account;
  }

  return (pn, fields) => accounts.byPn(pn) ?? atomically(db, () => create(pn, fields));
}
