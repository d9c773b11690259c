import { type Caller, type CommandName, scopeOf } from '../../../commands/execute.ts';

/** Whether a key's scopes let it run a command. `execute` asks again; this is for what is shown. */
export const mayRun = ({ scopes }: Caller, command: CommandName): boolean =>
  scopes.includes('*') || scopes.includes(scopeOf(command));
