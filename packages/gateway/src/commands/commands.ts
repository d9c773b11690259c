import { me, usage } from './account.ts';
import { editMessage, reactToMessage, revokeMessage } from './changes.ts';
import { checkNumbers } from './contacts.ts';
import { addLine, allLines, ensureLine, getLine, lineStats, patchLine, removeLine, setWebhook } from './lines.ts';
import { readMessages } from './messages.ts';
import { logout, pairingCode, pairingQr } from './pairing.ts';
import { sendMessage } from './sends.ts';
import { lineTimeline } from './timeline.ts';
import { addWebhook, allWebhooks, getWebhook, removeWebhook, testWebhook } from './webhooks.ts';

/** Everything a caller can ask for, whatever API it comes through. A dialect's rows name these. */
export const COMMANDS = {
  'account.me': me,
  'account.usage': usage,
  'lines.ensure': ensureLine,
  'lines.add': addLine,
  'lines.all': allLines,
  'lines.get': getLine,
  'lines.patch': patchLine,
  'lines.remove': removeLine,
  'lines.setWebhook': setWebhook,
  'lines.stats': lineStats,
  'lines.timeline': lineTimeline,
  'pairing.qr': pairingQr,
  'pairing.code': pairingCode,
  'pairing.logout': logout,
  'messages.send': sendMessage,
  'messages.react': reactToMessage,
  'messages.edit': editMessage,
  'messages.revoke': revokeMessage,
  'messages.read': readMessages,
  'numbers.check': checkNumbers,
  'webhooks.add': addWebhook,
  'webhooks.all': allWebhooks,
  'webhooks.get': getWebhook,
  'webhooks.remove': removeWebhook,
  'webhooks.test': testWebhook,
} as const;

export type CommandTable = typeof COMMANDS;
