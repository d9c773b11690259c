import { me, usage } from './account.ts';
import { allApprovals, oneApproval } from './approvals-read.ts';
import { archiveChat } from './archive.ts';
import { editMessage, reactToMessage, revokeMessage } from './changes.ts';
import { makeConnectLink } from './connect-link.ts';
import { checkNumbers } from './contacts.ts';
import { followEvents, makeStreamTicket, pullEvents } from './events.ts';
import {
  allGroups,
  changeGroup,
  changeMembers,
  createGroup,
  decideRequests,
  getGroup,
  groupBehindLink,
  groupLink,
  joinGroup,
  joinRequests,
  leaveGroup,
  removeGroupPicture,
  setGroupPicture,
} from './groups.ts';
import { allChats, allMessages, oneMessage } from './history.ts';
import { lineActivity } from './line-activity.ts';
import { addLine, allLines, ensureLine, getLine, lineStats, patchLine, removeLine, setWebhook } from './lines.ts';
import { getMedia } from './media.ts';
import { readMessages } from './messages.ts';
import { askOlderMessages } from './older-messages.ts';
import { setOwnPicture } from './own-picture.ts';
import { logout, pairingCode, pairingQr } from './pairing.ts';
import {
  allContacts,
  getContact,
  getContactLink,
  getOwnPicture,
  getPicture,
  getProfile,
  getStatusAudience,
  removeOwnPicture,
  setAbout,
  setPresence,
  showTyping,
  watchPresence,
} from './people.ts';
import { cancelMessage, lineQueue } from './queue.ts';
import { restartLine } from './restart-line.ts';
import { sendFile } from './send-file.ts';
import { sendMessage } from './sends.ts';
import { sendStatus } from './status.ts';
import { lineTimeline } from './timeline.ts';
import { trafficSeries } from './traffic-series.ts';
import { waitForReply } from './wait-for-reply.ts';
import { finishWebhookRotation, patchWebhook, rotateWebhookSecret } from './webhook-changes.ts';
import {
  getWebhook,
  giveUpOne,
  oneDelivery,
  replayFailed,
  replayOne,
  webhookDeliveries,
} from './webhook-deliveries.ts';
import { addWebhook, allWebhooks, removeWebhook, testWebhook } from './webhooks.ts';

/** Everything a caller can ask for, whatever API it comes through. A dialect's rows name these. */
export const COMMANDS = {
  'account.me': me,
  'account.usage': usage,
  'account.series': trafficSeries,
  'approvals.all': allApprovals,
  'approvals.get': oneApproval,
  'lines.ensure': ensureLine,
  'lines.add': addLine,
  'lines.all': allLines,
  'lines.get': getLine,
  'lines.patch': patchLine,
  'lines.remove': removeLine,
  'lines.setWebhook': setWebhook,
  'lines.stats': lineStats,
  'lines.activity': lineActivity,
  'lines.restart': restartLine,
  'lines.timeline': lineTimeline,
  'lines.queue': lineQueue,
  'pairing.qr': pairingQr,
  'pairing.code': pairingCode,
  'pairing.logout': logout,
  'pairing.connectLink': makeConnectLink,
  'messages.send': sendMessage,
  'messages.sendFile': sendFile,
  'messages.sendStatus': sendStatus,
  'messages.media': getMedia,
  'messages.cancel': cancelMessage,
  'messages.all': allMessages,
  'messages.get': oneMessage,
  'messages.reply': waitForReply,
  'chats.all': allChats,
  'chats.archive': archiveChat,
  'chats.askOlder': askOlderMessages,
  'messages.react': reactToMessage,
  'messages.edit': editMessage,
  'messages.revoke': revokeMessage,
  'messages.read': readMessages,
  'messages.typing': showTyping,
  'numbers.check': checkNumbers,
  'contacts.all': allContacts,
  'contacts.get': getContact,
  'contacts.picture': getPicture,
  'profile.get': getProfile,
  'profile.setAbout': setAbout,
  'profile.link': getContactLink,
  'profile.picture': getOwnPicture,
  'profile.setPicture': setOwnPicture,
  'profile.removePicture': removeOwnPicture,
  'presence.set': setPresence,
  'presence.watch': watchPresence,
  'status.audience': getStatusAudience,
  'groups.all': allGroups,
  'groups.create': createGroup,
  'groups.get': getGroup,
  'groups.change': changeGroup,
  'groups.changeMembers': changeMembers,
  'groups.setPicture': setGroupPicture,
  'groups.removePicture': removeGroupPicture,
  'groups.link': groupLink,
  'groups.behindLink': groupBehindLink,
  'groups.join': joinGroup,
  'groups.leave': leaveGroup,
  'groups.requests': joinRequests,
  'groups.decide': decideRequests,
  'events.follow': followEvents,
  'events.pull': pullEvents,
  'events.ticket': makeStreamTicket,
  'webhooks.add': addWebhook,
  'webhooks.all': allWebhooks,
  'webhooks.get': getWebhook,
  'webhooks.remove': removeWebhook,
  'webhooks.test': testWebhook,
  'webhooks.patch': patchWebhook,
  'webhooks.rotate': rotateWebhookSecret,
  'webhooks.finishRotation': finishWebhookRotation,
  'webhooks.deliveries': webhookDeliveries,
  'webhooks.replay': replayFailed,
  'deliveries.get': oneDelivery,
  'deliveries.replay': replayOne,
  'deliveries.giveUp': giveUpOne,
} as const;

export type CommandTable = typeof COMMANDS;
