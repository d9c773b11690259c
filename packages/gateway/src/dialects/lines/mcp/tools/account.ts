import type { Json } from '../json.ts';
import { always, counted } from '../say.ts';
import type { ToolFacts } from '../tool.ts';

export const account: Record<string, ToolFacts[]> = {
  me: [
    {
      name: 'bridge_get_account',
      title: 'Account, plan and key',
      description: 'Whose key this is, what it may do (scopes), the plan and its limits.',
      effect: 'reads',
      say: always('The account.'),
    },
  ],
  usage: [
    {
      name: 'bridge_get_usage',
      title: 'Usage in this period',
      description:
        'Messages sent, webhook events and lines in this billing period, and what the plan allows (null: unlimited).',
      effect: 'reads',
      say: always('The usage.'),
    },
  ],
  usageSeries: [
    {
      name: 'bridge_get_usage_over_time',
      title: 'Messages and deliveries over time',
      description:
        'Messages sent and received, webhook deliveries and how long they took, by hour or by day; of the account, of a line or of a webhook.',
      effect: 'reads',
      say: always('The series.'),
    },
  ],
};

const webhookId = { webhook_id: 'id' };
const deliveryId = { delivery_id: 'id' };
const shownWebhook = (answer: Json): string => `Webhook ${String(answer.id)} is ${String(answer.status)}.`;
/** What an endpoint answered: its text is not ours. */
const EXCERPT = 'response_excerpt';

export const webhooks: Record<string, ToolFacts[]> = {
  listWebhooks: [
    {
      name: 'bridge_list_webhooks',
      title: 'List webhooks',
      description: 'The addresses that events are delivered to.',
      effect: 'reads',
      say: counted('webhooks', 'webhook'),
    },
  ],
  getWebhook: [
    {
      name: 'bridge_get_webhook',
      title: 'One webhook',
      description: 'A webhook by its id: events, filters, and whether it is enabled.',
      effect: 'reads',
      renames: webhookId,
      say: shownWebhook,
    },
  ],
  createWebhook: [
    {
      name: 'bridge_create_webhook',
      title: 'Create a webhook',
      description:
        'Delivers events to a public https URL from now on. The answer holds the signing secret, once: hand it on safely.',
      effect: 'adds',
      say: (answer) => `${shownWebhook(answer)} Its secret is in this answer only.`,
    },
  ],
  changeWebhook: [
    {
      name: 'bridge_change_webhook',
      title: 'Change a webhook, or switch it on or off',
      description: 'Changes what is given; what is left out stays. status enabled lets what waited go on.',
      effect: 'sets',
      renames: webhookId,
      say: shownWebhook,
    },
  ],
  deleteWebhook: [
    {
      name: 'bridge_delete_webhook',
      title: 'Delete a webhook',
      description: 'Deletes a webhook; its pending deliveries are dropped. To pause it use bridge_change_webhook.',
      effect: 'ends',
      renames: webhookId,
      say: always('The webhook is deleted.'),
    },
  ],
  testWebhook: [
    {
      name: 'bridge_test_webhook',
      title: 'Test a webhook',
      description: 'Delivers a webhook.test event now and tells what the endpoint answered.',
      effect: 'adds',
      renames: webhookId,
      say: (answer) =>
        answer.ok ? 'The endpoint took it.' : 'The endpoint did not take it: see status_code and error.',
      untrusted: [EXCERPT],
    },
  ],
  rotateWebhookSecret: [
    {
      name: 'bridge_rotate_webhook_secret',
      title: 'New secret for a webhook',
      description:
        'Gives a webhook a new signing secret, in this answer only; the old one signs too until the grace ends.',
      effect: 'adds',
      renames: webhookId,
      say: always('The new secret is in this answer only.'),
    },
  ],
  finishWebhookRotation: [
    {
      name: 'bridge_finish_webhook_rotation',
      title: 'End the rotation of a secret',
      description: 'Ends the grace of bridge_rotate_webhook_secret now: only the new secret signs.',
      effect: 'sets',
      renames: webhookId,
      say: shownWebhook,
    },
  ],
  listDeliveries: [
    {
      name: 'bridge_list_deliveries',
      title: 'Deliveries of a webhook',
      description:
        'The log of a webhook, newest first: which events were delivered, wait, or failed for good (dead), and why.',
      effect: 'reads',
      renames: webhookId,
      say: counted('deliveries', 'delivery', 'deliveries'),
      untrusted: [`deliveries[].last_attempt.${EXCERPT}`],
    },
  ],
  getDelivery: [
    {
      name: 'bridge_get_delivery',
      title: 'One delivery with every attempt',
      description: 'A delivery by its id (bridge_list_deliveries), with what the endpoint answered each time.',
      effect: 'reads',
      renames: deliveryId,
      say: (answer) => `The delivery is ${String(answer.status)} after ${String(answer.attempts)} attempts.`,
      untrusted: [`last_attempt.${EXCERPT}`, `attempt_log[].${EXCERPT}`],
    },
  ],
  replayDelivery: [
    {
      name: 'bridge_replay_delivery',
      title: 'Deliver once more',
      description: 'Delivers one event again now, whatever became of it.',
      effect: 'adds',
      renames: deliveryId,
      say: always('It is on its way again.'),
    },
  ],
  giveUpDelivery: [
    {
      name: 'bridge_give_up_delivery',
      title: 'Give up a delivery',
      description:
        'Gives up a delivery that waits for its next attempt, so that a webhook in strict order goes on. bridge_replay_delivery brings it back.',
      effect: 'sets',
      renames: deliveryId,
      say: always('It is given up.'),
    },
  ],
  replayWebhook: [
    {
      name: 'bridge_replay_webhook',
      title: 'Deliver again what failed',
      description: 'Delivers again, in order, everything of a webhook that failed for good since a time.',
      effect: 'adds',
      renames: webhookId,
      say: (answer) => `${String(answer.replayed)} deliveries go out again.`,
    },
  ],
};
