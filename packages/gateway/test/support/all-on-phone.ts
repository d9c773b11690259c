import type { InboxItem } from './api.ts';
import type { Rig } from './rig.ts';
import { until } from './until.ts';

/** Waits until a virtual phone has every one of these messages, for a minute at most. */
export async function allOnPhone(rig: Rig, phone: string, messageIds: readonly string[]): Promise<void> {
  await until(
    'every accepted message is on the phone',
    async () => {
      const inbox = await rig.world<InboxItem[]>('GET', `/phones/${phone}/inbox`);
      const there = new Set(inbox.map((item) => item.message_id));
      return messageIds.every((id) => there.has(id));
    },
    60_000,
  );
}
