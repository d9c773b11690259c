import type { Route } from '../../../../http/route.ts';
import { type Tool, toolsOf } from '../tool.ts';
import { account, webhooks } from './account.ts';
import { approvals } from './approvals.ts';
import { groups } from './groups.ts';
import { lines } from './lines.ts';
import { contacts, profile } from './people.ts';
import { reading } from './reading.ts';
import { sending } from './sending.ts';

/**
 * Every tool over these rows, in the order in which agents see them: what is used most comes first.
 */
export const toolTable = (rows: readonly Route[]): Tool[] => [
  ...toolsOf('Lines', lines, rows),
  ...toolsOf('Sending', sending, rows),
  ...toolsOf('Approvals', approvals, rows),
  ...toolsOf('Reading', reading, rows),
  ...toolsOf('Contacts', contacts, rows),
  ...toolsOf('Groups', groups, rows),
  ...toolsOf('Profile and presence', profile, rows),
  ...toolsOf('Webhooks', webhooks, rows),
  ...toolsOf('Account', account, rows),
];
