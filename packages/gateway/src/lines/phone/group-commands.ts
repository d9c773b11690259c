import type { Engine } from '@ponte/engine';
import type { LineCommandName, LineCommands } from '../../core/line-commands.ts';

type GroupCommand = Extract<LineCommandName, `groups.${string}`>;

/**
 * The commands about groups, which an engine answers by itself. `engine` throws when the line is
 * not connected.
 */
export function groupCommands(engine: () => Engine): {
  [C in GroupCommand]: (input: LineCommands[C]['in']) => Promise<LineCommands[C]['out']>;
} {
  return {
    'groups.create': (input) => engine().groups.create(input),
    'groups.all': (input) => engine().groups.all(input),
    'groups.info': (input) => engine().groups.info(input),
    'groups.changeMembers': (input) => engine().groups.changeMembers(input),
    'groups.setSubject': (input) => engine().groups.setSubject(input),
    'groups.setDescription': (input) => engine().groups.setDescription(input),
    'groups.change': (input) => engine().groups.change(input),
    'groups.setPicture': (input) => engine().groups.setPicture(input),
    'groups.removePicture': (input) => engine().groups.removePicture(input),
    'groups.invite': (input) => engine().groups.invite(input),
    'groups.invited': (input) => engine().groups.invited(input),
    'groups.join': (input) => engine().groups.join(input),
    'groups.leave': (input) => engine().groups.leave(input),
    'groups.requests': (input) => engine().groups.requests(input),
    'groups.decide': (input) => engine().groups.decide(input),
  };
}
