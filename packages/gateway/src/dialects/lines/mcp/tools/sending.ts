import { always, sent } from '../say.ts';
import type { ToolFacts } from '../tool.ts';

const REPLIES = 'To read what comes back use bridge_wait_for_reply.';

/** A file inside the request: an agent has addresses. */
const INSIDE = ['data', 'file'];

/** Row of the Lines API → tools over it. */
export const sending: Record<string, ToolFacts[]> = {
  sendMessage: [
    {
      name: 'bridge_send_message',
      title: 'Send a text message',
      description: `Sends a WhatsApp text message now, to a person (phone number) or a group (jid), and waits until WhatsApp has it. ${REPLIES} To answer a particular message use bridge_reply_message.`,
      effect: 'adds',
      takes: ['line_id', 'to', 'message', 'archive_policy'],
      say: sent,
    },
    {
      name: 'bridge_send_text_with_options',
      title: 'Send text later, urgently, or with mentions',
      description:
        'Like bridge_send_message, with everything a text can have: a later time (send_at), priority, people mentioned, a quoted message. For a plain text now use bridge_send_message.',
      effect: 'adds',
      say: sent,
    },
  ],
  sendMedia: [
    {
      name: 'bridge_send_media',
      title: 'Send an image, video, audio file or document',
      description:
        'Sends the file at a public https address; say with media_type what it is (default image). For voice messages, file names, mentions or a later time use bridge_send_media_with_options.',
      effect: 'adds',
      takes: ['line_id', 'to', 'media_url', 'media_type', 'caption'],
      requires: ['media_url'],
      say: sent,
    },
    {
      name: 'bridge_send_media_with_options',
      title: 'Send a file as a voice message, GIF, later, …',
      description:
        'Like bridge_send_media, with everything a file can have: voice, gif, view_once, filename, mime_type, a quoted message, mentions, priority, a later time.',
      effect: 'adds',
      leavesOut: INSIDE,
      requires: ['media_url'],
      say: sent,
    },
  ],
  sendSticker: [
    {
      name: 'bridge_send_sticker',
      title: 'Send a sticker',
      description: 'Sends a sticker: a WebP at a public https address, or a PNG or JPEG that is made one.',
      effect: 'adds',
      leavesOut: INSIDE,
      requires: ['media_url'],
      say: sent,
    },
  ],
  sendStatus: [
    {
      name: 'bridge_publish_status',
      title: 'Publish a status',
      description:
        'Publishes a status that the contacts of the line see for 24 hours: a text (body), or a picture or video at a public https address (media_url). bridge_get_status_privacy tells who sees it.',
      effect: 'adds',
      leavesOut: INSIDE,
      say: sent,
    },
  ],
  replyToMessage: [
    {
      name: 'bridge_reply_message',
      title: 'Answer a message, quoting it',
      description: `Sends a text that quotes a message of the chat (quoted_message_id from bridge_get_messages). ${REPLIES}`,
      effect: 'adds',
      takes: ['line_id', 'to', 'message', 'quoted_message_id'],
      say: sent,
    },
  ],
  reactToMessage: [
    {
      name: 'bridge_react_message',
      title: 'React with an emoji',
      description:
        'Puts an emoji on a message (jid of its chat and message_id from bridge_get_messages); an empty emoji takes it back.',
      effect: 'sets',
      takes: ['line_id', 'jid', 'message_id', 'emoji'],
      say: sent,
    },
  ],
  sendLocation: [
    {
      name: 'bridge_send_location',
      title: 'Send a place on the map',
      description: 'Sends a location pin: latitude, longitude, and the name and address to show.',
      effect: 'adds',
      say: sent,
    },
  ],
  sendContact: [
    {
      name: 'bridge_send_contact',
      title: 'Send contact cards',
      description: 'Sends one or several contact cards, each with a name and a phone number (or a whole vCard).',
      effect: 'adds',
      say: sent,
    },
  ],
  sendPoll: [
    {
      name: 'bridge_send_poll',
      title: 'Send a poll',
      description: 'Sends a poll with 2 to 12 options. Votes arrive as poll.vote events at webhooks.',
      effect: 'adds',
      say: sent,
    },
  ],
  sendEvent: [
    {
      name: 'bridge_send_event',
      title: 'Send an invitation to an event',
      description:
        'Sends an event with a start (Unix seconds) that people can accept. Answers arrive as event.response events at webhooks.',
      effect: 'adds',
      say: sent,
    },
  ],
  editMessage: [
    {
      name: 'bridge_edit_message',
      title: 'Edit a sent message',
      description: 'Replaces the text or caption of a message that this line sent, within 20 minutes after sending.',
      effect: 'sets',
      takes: ['line_id', 'jid', 'message_id', 'message'],
      say: sent,
    },
  ],
  revokeMessage: [
    {
      name: 'bridge_revoke_message',
      title: 'Delete a message for everyone',
      description:
        'Deletes a message for everyone: one that this line sent, or another’s in a group where it is admin. It cannot be undone.',
      effect: 'ends',
      takes: ['line_id', 'jid', 'message_id', 'sender'],
      say: sent,
    },
  ],
  readMessages: [
    {
      name: 'bridge_mark_read',
      title: 'Mark messages as read',
      description: 'Shows the sender blue ticks: for the messages named, or for everything unread in the chat.',
      effect: 'sets',
      say: always('Marked as read.'),
    },
  ],
  showTyping: [
    {
      name: 'bridge_show_typing',
      title: 'Show “typing…”',
      description:
        'Shows that the line types or records a voice note, or stopped (state paused). WhatsApp hides it after some seconds.',
      effect: 'sets',
      say: always('Shown.'),
    },
  ],
};
