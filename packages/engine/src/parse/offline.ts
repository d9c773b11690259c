import type { EngineEvent } from '../events.ts';
import { children, intAttr, type Node } from '../node.ts';

/**
 * Reads an `<ib>`: what waited while the line was offline, and that all of it was sent (whatsmeow
 * connectionevents.go).
 */
export function parseOffline(node: Node): EngineEvent[] {
  return children(node).flatMap((part): EngineEvent[] => {
    const count = (name: string) => intAttr(part, name) ?? 0;
    if (part.tag === 'offline') return [{ type: 'offline.completed', count: count('count') }];
    if (part.tag !== 'offline_preview') return [];
    return [
      {
        type: 'offline.preview',
        total: count('count'),
        messages: count('message'),
        notifications: count('notification'),
        receipts: count('receipt'),
        appDataChanges: count('appdata'),
      },
    ];
  });
}
