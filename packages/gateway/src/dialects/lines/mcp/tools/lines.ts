import { always, counted, lineStatus } from '../say.ts';
import type { ToolFacts } from '../tool.ts';

export const lines: Record<string, ToolFacts[]> = {
  listLines: [
    {
      name: 'bridge_list_lines',
      title: 'List WhatsApp lines',
      description:
        'The WhatsApp numbers (lines) that this key can use, with their line_id and status. Call it first: every other tool needs a line_id. Only a line that is connected can send.',
      effect: 'reads',
      say: counted('lines', 'line'),
    },
  ],
  getLine: [
    {
      name: 'bridge_get_line',
      title: 'Status of a line',
      description:
        'One line: its status (unpaired, pairing, connecting, connected, disconnected, logged_out), number and name.',
      effect: 'reads',
      say: lineStatus,
    },
  ],
  createLine: [
    {
      name: 'bridge_create_line',
      title: 'Create a line',
      description:
        'Creates a line for one more WhatsApp number. It has to be paired next: bridge_create_connect_link when the owner of the phone is elsewhere, bridge_get_qr or bridge_pair_with_code when they are present. The same customer_ref always gives the same line.',
      effect: 'adds',
      say: lineStatus,
    },
  ],
  changeLine: [
    {
      name: 'bridge_change_line',
      title: 'Change a line',
      description:
        'Changes the label, the customer_ref or the pacing (gaps between sends) of a line. What is left out stays.',
      effect: 'sets',
      say: lineStatus,
    },
  ],
  deleteLine: [
    {
      name: 'bridge_delete_line',
      title: 'Delete a line',
      description:
        'Unpairs a line and deletes it with all its chats and messages. It cannot be undone: be asked for it first.',
      effect: 'ends',
      say: always('The line is deleted.'),
    },
  ],
  lineQr: [
    {
      name: 'bridge_get_qr',
      title: 'QR code to pair a line',
      description:
        'The QR code that the owner of the number scans (WhatsApp: Linked devices, Link a device), as an image and as text. It changes every few seconds: show it at once, and call again when it has expired. When the owner is elsewhere, use bridge_create_connect_link.',
      effect: 'asks',
      fixed: { format: 'json' },
      bytes: { format: 'png' },
      say: always('The QR code is in the image. Show it at once; it changes every few seconds.'),
    },
  ],
  pairLine: [
    {
      name: 'bridge_pair_with_code',
      title: 'Pair a line with a code',
      description:
        'Pairs without a QR code: answers a code of eight characters that the owner types on the phone of that number (Linked devices, Link with phone number instead). Each call replaces the code before.',
      effect: 'adds',
      say: (answer) => `The code is ${String(answer.code)}.`,
    },
  ],
  connectLink: [
    {
      name: 'bridge_create_connect_link',
      title: 'Link to a page that pairs a line',
      description:
        'An address to give to the owner of the number: a page that shows the QR code as it changes. Valid for 15 minutes and one pairing. Anyone who has it can pair the line: send it to the owner only.',
      effect: 'adds',
      say: (answer) => `Give this address to the owner of the number: ${String(answer.url)}`,
    },
  ],
  logoutLine: [
    {
      name: 'bridge_logout_line',
      title: 'Unpair a line',
      description: 'Unlinks a line from its phone. It cannot send or receive until it is paired again; its chats stay.',
      effect: 'ends',
      say: always('The line is unpaired.'),
    },
  ],
  restoreLine: [
    {
      name: 'bridge_restore_line',
      title: 'Restore a logged out line',
      description:
        'Takes back the credentials of a line that WhatsApp logged out within the last 7 days, and connects with them. Useful when the device was not removed on the phone; if it was, WhatsApp refuses them and the line is logged_out again.',
      effect: 'sets',
      say: always('Restored; bridge_get_line tells whether WhatsApp takes it.'),
    },
  ],
  restartLine: [
    {
      name: 'bridge_restart_line',
      title: 'Restart a line',
      description:
        'Ends the connection of a line and opens it afresh. Pairing and waiting messages stay. For a line that hangs; not for one that is logged_out.',
      effect: 'sets',
      say: always('Restarted; bridge_get_line tells when it is connected.'),
    },
  ],
  lineQueue: [
    {
      name: 'bridge_get_queue',
      title: 'What waits to be sent',
      description:
        'Messages that were accepted and have not left: waiting for their turn (sends are paced) or for their time (send_at).',
      effect: 'reads',
      say: (answer) => `${String(answer.depth)} waiting, ${String(answer.scheduled)} scheduled.`,
    },
  ],
  startTrace: [
    {
      name: 'bridge_start_trace',
      title: 'Begin a log of stanzas',
      description:
        'Begins a log of what a line and WhatsApp say to each other, without texts, names, keys or addresses: for a report of what broke. It ends by itself.',
      effect: 'sets',
      say: (answer) => `It runs until ${String(answer.ends_at)}; bridge_read_trace shows it.`,
    },
  ],
  readTrace: [
    {
      name: 'bridge_read_trace',
      title: 'Read the log of stanzas',
      description: 'What a line that is traced and WhatsApp said to each other since `after`; see bridge_start_trace.',
      effect: 'reads',
      say: counted('stanzas', 'stanza'),
    },
  ],
  stopTrace: [
    {
      name: 'bridge_stop_trace',
      title: 'End the log of stanzas',
      description: 'Ends what bridge_start_trace began, before its time.',
      effect: 'sets',
      say: always('It is off.'),
    },
  ],
  cancelMessage: [
    {
      name: 'bridge_cancel_message',
      title: 'Take back a message that waits',
      description:
        'Cancels a message that has not left yet (see bridge_get_queue). Once it left, bridge_revoke_message deletes it for everyone.',
      effect: 'ends',
      say: always('Cancelled: it will not be sent.'),
    },
  ],
};
