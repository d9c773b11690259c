import type { LineCommandName } from '../../src/core/line-commands.ts';

/** What an operation of a published API needs, and so how it can be refused. */
export interface Needs {
  /**
   * What its address or body names: something that another account does not see. Null: nothing but
   * the account itself.
   */
  of: 'line' | 'webhook' | 'delivery' | 'approval' | null;
  /**
   * `connection`: refused in every other state. `paired`: refused unpaired. `unpaired`: refused
   * while paired, by the worker's word. `worker`: the process has to answer, whatever the state.
   * `nothing`: what is stored is enough.
   */
  needs: 'connection' | 'unpaired' | 'worker' | 'nothing';
  /** What it asks the line for: the answer may be no. */
  asks?: LineCommandName;
  /** Names a person who may not have WhatsApp. */
  person?: 'anyone' | 'contact';
  /** No key is needed. */
  open?: true;
  /** Fetches a picture first. */
  fetches?: true;
}

const account: Needs = { of: null, needs: 'nothing' };
const stored: Needs = { of: 'line', needs: 'nothing' };
const webhook: Needs = { of: 'webhook', needs: 'nothing' };
const delivery: Needs = { of: 'delivery', needs: 'nothing' };
const asks = (name: LineCommandName, further: Partial<Needs> = {}): Needs => ({
  of: 'line',
  needs: 'connection',
  asks: name,
  ...further,
});
const send = asks('send', { person: 'anyone' });
const sendFile = asks('send', { person: 'anyone', fetches: true });
/** A status asks who may see it first. */
const sendStatus = asks('account.statusAudience');
const media: Needs = { of: 'line', needs: 'worker', asks: 'media.fetch' };

/** Every operation of the Bridges API. */
export const BRIDGES: Record<string, Needs> = {
  provisionBridge: account,
  listBridges: account,
  getBridge: stored,
  changeBridge: stored,
  deleteBridge: stored,
  bridgeStatus: stored,
  bridgeQrPng: { of: 'line', needs: 'unpaired', asks: 'pairing.qr' },
  pairBridge: { of: 'line', needs: 'unpaired', asks: 'pairing.code' },
  logoutBridge: { of: 'line', needs: 'worker', asks: 'logout' },
  bridgeSendText: send,
  bridgeReadMessage: asks('messages.read'),
  bridgeSendReaction: send,
  bridgeSendPoll: send,
  bridgeSendLocation: send,
  bridgeSendEvent: send,
  bridgeSendContact: send,
  bridgeSendMedia: sendFile,
  bridgeSendSticker: sendFile,
  bridgeSendStatus: sendStatus,
  bridgeGetMedia: media,
  bridgeGetMessage: stored,
  bridgeRevokeMessage: send,
  bridgeEditMessage: send,
  bridgeCheckNumbers: asks('numbers.check'),
  bridgeContacts: stored,
  bridgeContact: asks('account.person', { person: 'contact' }),
  bridgeContactAvatar: asks('account.picture', { person: 'anyone' }),
  bridgeProfile: asks('account.person'),
  bridgeSetAbout: asks('account.setAbout'),
  bridgeAvatar: asks('account.picture'),
  bridgeSetAvatar: asks('account.setPicture', { fetches: true }),
  bridgeRemoveAvatar: asks('account.removePicture'),
  bridgeContactQr: asks('account.contactLink'),
  bridgeSendTyping: asks('account.typing', { person: 'anyone' }),
  bridgePresence: asks('account.presence'),
  bridgeSubscribePresence: asks('account.watch', { person: 'anyone' }),
  bridgeStatusPrivacy: asks('account.statusAudience'),
  bridgeGroups: asks('groups.all'),
  bridgeCreateGroup: asks('groups.create'),
  bridgeGroupBehindLink: asks('groups.invited'),
  bridgeJoinGroup: asks('groups.join'),
  bridgeGroup: asks('groups.info'),
  bridgeChangeGroup: asks('groups.setSubject'),
  bridgeLeaveGroup: asks('groups.leave'),
  bridgeGroupParticipants: asks('groups.info'),
  bridgeChangeGroupParticipants: asks('groups.changeMembers'),
  bridgeGroupRequests: asks('groups.requests'),
  bridgeDecideGroupRequests: asks('groups.decide'),
  bridgeGroupInvite: asks('groups.invite'),
  bridgeRevokeGroupInvite: asks('groups.invite'),
  bridgeGroupPicture: asks('account.picture', { person: 'anyone' }),
  bridgeSetGroupPicture: asks('groups.setPicture', { fetches: true }),
  bridgeRemoveGroupPicture: asks('groups.removePicture'),
  bridgeHealth: { of: null, needs: 'nothing', open: true },
  bridgeStats: { of: 'line', needs: 'worker', asks: 'stats' },
};

/** Every operation of the Lines API. */
export const LINES: Record<string, Needs> = {
  me: account,
  usage: account,
  usageSeries: account,
  listLines: account,
  createLine: account,
  getLine: stored,
  changeLine: stored,
  restartLine: stored,
  deleteLine: stored,
  lineQr: { of: 'line', needs: 'unpaired', asks: 'pairing.qr' },
  pairLine: { of: 'line', needs: 'unpaired', asks: 'pairing.code' },
  connectLink: { of: 'line', needs: 'unpaired' },
  logoutLine: { of: 'line', needs: 'worker', asks: 'logout' },
  /** Refused unless something is kept. */
  restoreLine: { of: 'line', needs: 'unpaired' },
  sendMessage: send,
  readMessages: asks('messages.read'),
  replyToMessage: send,
  reactToMessage: send,
  editMessage: send,
  revokeMessage: send,
  sendLocation: send,
  sendContact: send,
  sendPoll: send,
  sendEvent: send,
  sendMedia: sendFile,
  sendSticker: sendFile,
  sendStatus,
  getMedia: media,
  listContacts: stored,
  getContact: asks('account.person', { person: 'contact' }),
  getContactAvatar: asks('account.picture', { person: 'anyone' }),
  checkContacts: asks('numbers.check'),
  getProfile: asks('account.person'),
  setProfileStatus: asks('account.setAbout'),
  getAvatar: asks('account.picture'),
  setAvatar: asks('account.setPicture', { fetches: true }),
  removeAvatar: asks('account.removePicture'),
  getContactLink: asks('account.contactLink'),
  showTyping: asks('account.typing', { person: 'anyone' }),
  setPresence: asks('account.presence'),
  subscribePresence: asks('account.watch', { person: 'anyone' }),
  getStatusPrivacy: asks('account.statusAudience'),
  listGroups: asks('groups.all'),
  createGroup: asks('groups.create'),
  groupBehindLink: asks('groups.invited'),
  joinGroup: asks('groups.join'),
  getGroup: asks('groups.info'),
  changeGroup: asks('groups.setSubject'),
  leaveGroup: asks('groups.leave'),
  listGroupParticipants: asks('groups.info'),
  changeGroupParticipants: asks('groups.changeMembers'),
  listGroupRequests: asks('groups.requests'),
  decideGroupRequests: asks('groups.decide'),
  getGroupInvite: asks('groups.invite'),
  revokeGroupInvite: asks('groups.invite'),
  getGroupPicture: asks('account.picture', { person: 'anyone' }),
  setGroupPicture: asks('groups.setPicture', { fetches: true }),
  removeGroupPicture: asks('groups.removePicture'),
  listWebhooks: account,
  createWebhook: account,
  getWebhook: webhook,
  deleteWebhook: webhook,
  testWebhook: webhook,
  listChats: stored,
  askOlderMessages: asks('account.askOlder'),
  archiveChat: asks('account.archive'),
  listMessages: stored,
  getMessage: stored,
  waitForReply: stored,
  listApprovals: account,
  getApproval: { of: 'approval', needs: 'nothing' },
  lineQueue: stored,
  startTrace: { of: 'line', needs: 'worker', asks: 'trace' },
  readTrace: { of: 'line', needs: 'worker', asks: 'trace' },
  stopTrace: { of: 'line', needs: 'worker', asks: 'trace' },
  cancelMessage: stored,
  changeWebhook: webhook,
  rotateWebhookSecret: webhook,
  finishWebhookRotation: webhook,
  listDeliveries: webhook,
  replayWebhook: webhook,
  getDelivery: delivery,
  replayDelivery: delivery,
  giveUpDelivery: delivery,
  followEvents: account,
  makeEventTicket: account,
};
