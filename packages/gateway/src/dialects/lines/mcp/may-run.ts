import { type Caller, type CommandName, mayRun as mayRunCommand } from '../../../commands/execute.ts';

/** Whether a key may run a command at all. `execute` asks again; this is for what is shown. */
export const mayRun = (caller: Caller, command: CommandName): boolean => mayRunCommand(command, caller);
