import type { Engine } from '@ponte/engine';
import type { LineCommandName, LineCommands } from '../../core/line-commands.ts';

type AccountCommand = Extract<LineCommandName, `account.${string}`>;

/**
 * The commands that an engine answers by itself. `engine` throws when the line is not connected.
 */
export function accountCommands(engine: () => Engine): {
  [C in AccountCommand]: (input: LineCommands[C]['in']) => Promise<LineCommands[C]['out']>;
} {
  return {
    'account.typing': (input) => engine().account.typing(input),
    'account.presence': (input) => engine().account.presence(input),
    'account.watch': (input) => engine().account.watch(input),
    'account.person': (input) => engine().account.person(input),
    'account.findUsername': (input) => engine().account.findUsername(input),
    'account.setAbout': (input) => engine().account.setAbout(input),
    'account.contactLink': (input) => engine().account.contactLink(input),
    'account.statusAudience': (input) => engine().account.statusAudience(input),
    'account.picture': (input) => engine().account.picture(input),
    'account.setPicture': (input) => engine().account.setPicture(input),
    'account.removePicture': (input) => engine().account.removePicture(input),
    'account.archive': (input) => engine().account.archive(input),
    'account.askOlder': (input) => engine().account.askOlder(input),
    'account.syncSettings': (input) => engine().account.syncSettings(input),
  };
}
