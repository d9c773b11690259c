import { isGroup, STATUS_BROADCAST } from '@ponte/engine';

/**
 * A chat where several people write and all read with the writer's sender key: a group, or the
 * statuses.
 */
export const isShared = (jid: string | undefined): boolean => isGroup(jid) || jid === STATUS_BROADCAST;
