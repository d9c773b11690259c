import { me, usage } from './account/account.ts';
import { recentFacts } from './account/recent.ts';
import { allApprovals, oneApproval } from './approvals/approvals-read.ts';
import { archiveChat } from './chats/archive.ts';
import { allChats, allMessages, oneMessage } from './chats/chats.ts';
import { getMedia } from './chats/media.ts';
import { askOlderMessages } from './chats/older-messages.ts';
import { readMessages } from './chats/read-messages.ts';
import { checkNumbers } from './contacts/check-numbers.ts';
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
} from './contacts/contacts.ts';
import { setOwnPicture } from './contacts/own-picture.ts';
import { followEvents, makeStreamTicket, pullEvents } from './events/events.ts';
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
} from './groups/groups.ts';
import { makeConnectLink } from './lines/connect-link.ts';
import { lineActivity } from './lines/line-activity.ts';
import { addLine, allLines, ensureLine, getLine, lineStats, patchLine, removeLine, setWebhook } from './lines/lines.ts';
import { logout, pairingCode, pairingQr, restoreCredentials } from './lines/pairing.ts';
import { restartLine } from './lines/restart-line.ts';
import { lineTimeline } from './lines/timeline.ts';
import { readTrace, startTrace, stopTrace } from './lines/trace.ts';
import { trafficSeries } from './lines/traffic-series.ts';
import { allProblems } from './problems/problems.ts';
import { editMessage, reactToMessage, revokeMessage } from './sends/changes.ts';
import { cancelMessage, lineQueue } from './sends/queue.ts';
import { sendFile } from './sends/send-file.ts';
import { sendStatus } from './sends/send-status.ts';
import { sendMessage } from './sends/sends.ts';
import { waitForReply } from './sends/wait-for-reply.ts';
import { finishWebhookRotation, patchWebhook, rotateWebhookSecret } from './webhooks/webhook-changes.ts';
import {
  getWebhook,
  giveUpOne,
  oneDelivery,
  replayFailed,
  replayOne,
  webhookDeliveries,
} from './webhooks/webhook-deliveries.ts';
import { addWebhook, allWebhooks, everyWebhook, removeWebhook, testWebhook } from './webhooks/webhooks.ts';

/** Everything a caller can ask for, whatever API it comes through. A dialect's rows name these. */
export const COMMANDS = {
  'account.me': me,
  'account.usage': usage,
  'account.series': trafficSeries,
  'approvals.all': allApprovals,
  'approvals.get': oneApproval,
  'problems.all': allProblems,
  'account.recent': recentFacts,
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
  'lines.startTrace': startTrace,
  'lines.readTrace': readTrace,
  'lines.stopTrace': stopTrace,
  'pairing.qr': pairingQr,
  'pairing.code': pairingCode,
  'pairing.logout': logout,
  'pairing.restore': restoreCredentials,
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
  'webhooks.every': everyWebhook,
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
