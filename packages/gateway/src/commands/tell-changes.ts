import { COMMANDS } from './commands.ts';
import type { CommandName, Execute } from './execute.ts';

/**
 * What a command changed: messages that are sent (or taken back), or lines and webhooks themselves.
 */
export type Change = 'messages' | 'settings';

const changeOf = (name: CommandName): Change | undefined => {
  const { scope } = COMMANDS[name];
  if (scope === 'messages:send') return 'messages';
  return scope === 'lines:write' || scope === 'webhooks:write' ? 'settings' : undefined;
};

/**
 * The same, and `onChange` is called for every command that changed something, whatever API it came
 * through. Reads are not reported.
 */
export function tellChanges(execute: Execute, onChange: (change: Change) => void): Execute {
  const told = async <T>(name: CommandName, work: Promise<T>): Promise<T> => {
    const result = await work;
    const change = changeOf(name);
    if (change) onChange(change);
    return result;
  };
  return {
    run: (name, input, caller) => told(name, execute.run(name, input, caller)),
    runOnce: (name, input, caller, once) => told(name, execute.runOnce(name, input, caller, once)),
  };
}
