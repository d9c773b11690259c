/*
 * Every example of the published Bridges reference, as it is printed there. Keys of `CALLS` are the operations of our route table; a string answer is one
 * that is no JSON. Only the abbreviations of the source ("ACE41E...") stand for something longer.
 */

export interface PublishedCall {
  request?: Record<string, unknown>;
  response: unknown;
}

export const CALLS: Record<string, PublishedCall> = {
  provisionBridge: {
    request: { customer_ref: 'user-123', webhook_url: 'https://yourbackend.com/hook' },
    response: { id: 42, customer_ref: 'user-123', state: 'running' },
  },
  bridgeStatus: {
    response: { status: 'connected', phone: '15550001234', jid: '15550001234@s.whatsapp.net', name: 'Alice' },
  },
  bridgeQrPng: { response: 'image/png' },
  pairBridge: { request: { phone: '15550001234' }, response: { code: 'ABCD-EFGH' } },
  logoutBridge: { response: { ok: true } },
  bridgeSendText: {
    request: { chat: '15550001234', body: 'Hello!' },
    response: { message_id: 'ACE41E...', timestamp: 1777180605 },
  },
  bridgeSendMedia: {
    request: { chat: '15550001234', url: 'https://example.com/photo.jpg', caption: 'check this out' },
    response: { message_id: 'ACE41E...', timestamp: 1777180605 },
  },
  bridgeSendReaction: {
    request: { chat: '15550001234', message_id: 'ACE41E...', emoji: '👍' },
    response: { message_id: 'ACE41E...', timestamp: 1777180605 },
  },
  bridgeSendPoll: {
    request: {
      chat: '15550001234',
      question: 'Favorite color?',
      options: ['Red', 'Green', 'Blue'],
      max_answers: 1,
    },
    response: { message_id: 'ACE41E...', timestamp: 1777180605 },
  },
  bridgeSendLocation: {
    request: {
      chat: '15550001234',
      lat: 19.432608,
      lng: -99.133209,
      name: 'Zócalo',
      address: 'Plaza de la Constitución',
    },
    response: { message_id: 'ACE41E...', timestamp: 1777180605 },
  },
  bridgeSendEvent: {
    request: { chat: '15550001234', name: 'Team sync', start_time: 1777334400, end_time: 1777338000 },
    response: { message_id: 'ACE41E...', timestamp: 1777180605 },
  },
  bridgeSendTyping: {
    request: { chat: '15550001234', state: 'composing', mode: 'text' },
    response: { ok: true },
  },
  bridgeRevokeMessage: { response: { message_id: 'ACE41E...', timestamp: 1777180605 } },
  bridgeEditMessage: {
    request: { chat: '15550001234@s.whatsapp.net', body: 'corrected text' },
    response: { message_id: 'ACE41E...', timestamp: 1777180605 },
  },
  bridgeReadMessage: { request: { chat: '15550001234@s.whatsapp.net' }, response: { ok: true } },
  bridgeGetMedia: { response: 'image/jpeg' },
  bridgeContacts: {
    response: [{ jid: '15550001234@s.whatsapp.net', phone: '15550001234', name: 'Alice', is_business: false }],
  },
  bridgeContact: {
    response: { jid: '...', phone: '15550001234', name: 'Alice', about: 'Hey!', is_business: false },
  },
  bridgeContactAvatar: { response: 'image/jpeg' },
  bridgeCheckNumbers: {
    request: { phones: ['15550001234', '00000000000'] },
    response: [
      { phone: '15550001234', registered: true, is_business: false },
      { phone: '00000000000', registered: false },
    ],
  },
  bridgeProfile: {
    response: { jid: '15550001234@s.whatsapp.net', phone: '15550001234', name: 'My Name', about: 'Hey there!' },
  },
  bridgeSetAbout: { request: { status: 'Hey there! I am using WA Bridges.' }, response: { ok: true } },
  bridgeAvatar: { response: 'image/jpeg' },
  bridgeSetAvatar: { request: { url: 'https://example.com/me.jpg' }, response: { picture_id: '12345678901' } },
  bridgeRemoveAvatar: { response: { ok: true } },
  bridgeContactQr: { response: { link: 'https://wa.me/qr/ABCDEFGHIJKL' } },
  bridgePresence: { request: { state: 'available' }, response: { ok: true } },
  bridgeSubscribePresence: { request: { chat: '15550001234' }, response: { ok: true } },
  bridgeStatusPrivacy: { response: [{ type: 'contacts', list: [], is_default: true }] },
  bridgeHealth: { response: { ok: true } },
  bridgeStats: {
    response: {
      goroutines: 12,
      heap_alloc_mb: 14,
      heap_sys_mb: 32,
      heap_objects: 84201,
      total_alloc_mb: 50,
      gc_cycles: 3,
      next_gc_mb: 28,
      media_cache_size: 4,
    },
  },
};

export const WEBHOOKS: Record<string, Record<string, unknown>> = {
  message: {
    event: 'message',
    message_id: 'ACE41E...',
    contact_id: '15550001234@s.whatsapp.net',
    phone: '15550001234',
    chat_id: '15550001234@s.whatsapp.net',
    name: 'Alice',
    body: 'Hello!',
    type: 'text',
    media_type: '',
    is_group: false,
    from_me: false,
    timestamp: 1777180605,
  },
  connected: { event: 'connected', phone: '15550001234' },
  disconnected: { event: 'disconnected' },
  typing: {
    event: 'typing',
    contact_id: '15550001234@s.whatsapp.net',
    chat_id: '15550001234@s.whatsapp.net',
    state: 'composing',
    mode: 'text',
  },
  poll_vote: {
    event: 'poll_vote',
    contact_id: '15550001234@s.whatsapp.net',
    phone: '15550001234',
    chat_id: '15550001234@s.whatsapp.net',
    poll_id: 'ACPOLL0001',
    message_id: 'ACVOTE0001',
    name: 'Alice',
    from_me: false,
    timestamp: 1777330500,
    selected_options: ['Red'],
  },
  event_response: {
    event: 'event_response',
    contact_id: '15550001234@s.whatsapp.net',
    phone: '15550001234',
    chat_id: '15550009999@g.us',
    event_id: 'ACEVENT0001',
    message_id: 'ACEVRESP0001',
    name: 'Alice',
    from_me: false,
    timestamp: 1777330700,
    response: 'going',
    extra_guest_count: 0,
  },
  call_incoming: {
    event: 'call_incoming',
    call_id: 'ABCDEF123456',
    contact_id: '15550001234@s.whatsapp.net',
    platform: 'android',
    timestamp: 1777180605,
  },
  call_terminated: {
    event: 'call_terminated',
    call_id: 'ABCDEF123456',
    contact_id: '15550001234@s.whatsapp.net',
    reason: 'hangup',
    timestamp: 1777180720,
  },
  offline_sync_preview: {
    event: 'offline_sync_preview',
    total: 142,
    messages: 120,
    notifications: 8,
    receipts: 14,
    app_data_changes: 0,
  },
  offline_sync_completed: { event: 'offline_sync_completed', count: 142 },
  profile_picture_updated: {
    event: 'profile_picture_updated',
    remove: false,
    picture_id: '12345678901',
    timestamp: 1777180605,
  },
};
