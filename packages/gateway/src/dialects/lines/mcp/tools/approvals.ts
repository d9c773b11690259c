import { counted } from '../say.ts';
import type { ToolFacts } from '../tool.ts';

export const approvals: Record<string, ToolFacts[]> = {
  getApproval: [
    {
      name: 'bridge_get_approval',
      title: 'What became of a send that waits for a person',
      description:
        'For sends that answered pending_approval: whether a person said yes (then: sent, queued or failed), no (denied) or nothing in time (expired). Waits at most wait seconds for the decision. After denied do not send the same again.',
      effect: 'reads',
      renames: { approval_id: 'id' },
      say: ({ approval_id: id, status }) => `The approval ${String(id)} is ${String(status)}.`,
    },
  ],
  listApprovals: [
    {
      name: 'bridge_list_approvals',
      title: 'Sends that wait for a person',
      description: 'What keys of this account asked a person to approve lately, newest first, and what became of it.',
      effect: 'reads',
      say: counted('approvals', 'approval'),
    },
  ],
};
