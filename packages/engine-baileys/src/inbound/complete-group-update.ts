import type { EngineEvent, GroupChange, Party } from '@ponte/engine';

type Updated = Extract<EngineEvent, { type: 'group.updated' }>;

/** The change with every person's other address, when it is known. */
export async function completeGroupUpdate(
  event: Updated,
  complete: (incomplete: Party) => Promise<Party>,
): Promise<Updated> {
  const by = event.by && (await complete(event.by));
  return { ...event, by, change: await completeChange(event.change, complete) };
}

async function completeChange(change: GroupChange, complete: (one: Party) => Promise<Party>): Promise<GroupChange> {
  if ('members' in change) return { ...change, members: await Promise.all(change.members.map(complete)) };
  if (change.kind !== 'created') return change;
  const { group } = change;
  return { ...change, group: { ...group, creator: group.creator && (await complete(group.creator)) } };
}
