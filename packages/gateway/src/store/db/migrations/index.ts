import { firstLight } from './001-first-light.ts';
import { consoleTables } from './002-console.ts';
import { linesApi } from './003-lines-api.ts';
import { contactFacts } from './004-contact-facts.ts';
import { archiveAfterSend } from './005-archive-after-send.ts';
import { traffic } from './006-traffic.ts';
import { passkeys } from './007-passkeys.ts';
import { groups } from './008-groups.ts';
import { eventStreams } from './009-event-streams.ts';
import { approvals } from './010-approvals.ts';
import { history } from './011-history.ts';
import { restrictionsUsernames } from './013-restrictions-usernames.ts';
import { lineStanding } from './014-line-standing.ts';
import { narrowerKeys } from './015-narrower-keys.ts';
import { auditChain } from './016-audit-chain.ts';
import { contentPeople } from './017-content-people.ts';
import { honestSends } from './019-honest-sends.ts';
import { problems } from './021-problems.ts';
import { indexDiet } from './023-index-diet.ts';
import { keptCredentials } from './025-kept-credentials.ts';
import { sealedContents } from './026-sealed-contents.ts';
import { connectPages } from './027-connect-pages.ts';
import { alerts } from './028-alerts.ts';
import { fleet } from './029-fleet.ts';
import { leaseUpdates } from './030-lease-updates.ts';
import { fleetFront } from './031-fleet-front.ts';
import { leaseTaken } from './032-lease-taken.ts';
import { searchInBatches } from './034-search-in-batches.ts';
import { deliveringAttempt } from './035-delivering-attempt.ts';
import type { Migration } from './migration.ts';

/** In order; names are never changed once released. */
export const MIGRATIONS: readonly Migration[] = [
  firstLight,
  consoleTables,
  linesApi,
  contactFacts,
  archiveAfterSend,
  traffic,
  passkeys,
  groups,
  eventStreams,
  approvals,
  history,
  restrictionsUsernames,
  lineStanding,
  narrowerKeys,
  auditChain,
  contentPeople,
  honestSends,
  problems,
  indexDiet,
  keptCredentials,
  sealedContents,
  connectPages,
  alerts,
  fleet,
  leaseUpdates,
  fleetFront,
  leaseTaken,
  searchInBatches,
  deliveringAttempt,
];
