import { z } from 'zod';
import { type Forward, forwardRoute, type Route, type RouteFacts } from './route.ts';

const phoneParams = z.object({ phone: z.string() });
const lineParams = z.object({ line_id: z.string() });
const phone = z.looseObject({ phone: z.string(), jid: z.string(), lid: z.string(), name: z.string() });
const linked = z.looseObject({ device_jid: z.string() });
const sent = z.looseObject({ message_id: z.string(), timestamp: z.int() });
const item = z.looseObject({
  message_id: z.string(),
  chat: z.string(),
  from: z.string(),
  type: z.string(),
  copies: z.int(),
});

type Row = Omit<RouteFacts, 'auth' | 'limit' | 'tag'>;

/** What the sandbox takes. Bodies are checked by the simulator; the schemas here describe them. */
export function sandboxRoutes(to: { forward: Forward; scan: Forward; unlink: Forward }, maxBodyBytes: number): Route[] {
  const row = (facts: Row, forward = to.forward): Route =>
    forwardRoute({ ...facts, auth: 'key', limit: 'sandbox', tag: 'World', maxBodyBytes, forward });
  return [
    row({
      method: 'POST',
      path: '/phones',
      operation: 'sandboxCreatePhone',
      summary: 'Create a virtual phone; the same number again answers the existing one',
      body: z.object({
        phone: z.string(),
        name: z.string(),
        about: z.string().optional(),
        business: z.boolean().optional(),
        lid_only: z.boolean().optional(),
      }),
      requestExample: { phone: '15550001111', name: 'Alice' },
      answers: { 201: { description: 'The phone.', schema: phone } },
    }),
    row({
      method: 'GET',
      path: '/phones',
      operation: 'sandboxListPhones',
      summary: 'List virtual phones',
      answers: { 200: { description: 'The phones.', schema: phone.array() } },
    }),
    row({
      method: 'GET',
      path: '/phones/:phone',
      operation: 'sandboxGetPhone',
      summary: 'One virtual phone',
      params: phoneParams,
      answers: { 200: { description: 'The phone.', schema: phone } },
    }),
    row({
      method: 'DELETE',
      path: '/phones/:phone',
      operation: 'sandboxDeletePhone',
      summary: 'Remove a virtual phone',
      params: phoneParams,
      answers: { 204: { description: 'It is gone.' } },
    }),
    row(
      {
        method: 'POST',
        path: '/phones/:phone/scan',
        operation: 'sandboxScan',
        summary: 'Scan a QR code: links the line to this phone',
        description:
          'With line_id or customer_ref the phone scans what the line shows now, and the answer comes once the line is connected.',
        params: phoneParams,
        body: z.object({
          qr: z.string().optional(),
          line_id: z.string().optional(),
          customer_ref: z.string().optional(),
        }),
        requestExample: { customer_ref: 'user-123' },
        answers: { 200: { description: 'Linked.', schema: linked } },
      },
      to.scan,
    ),
    row(
      {
        method: 'POST',
        path: '/phones/:phone/unlink',
        operation: 'sandboxUnlink',
        summary: 'The owner removes the linked device',
        params: phoneParams,
        body: z.object({ line_id: z.string().optional(), customer_ref: z.string().optional() }),
        requestExample: { line_id: 'line_xxx' },
        answers: { 200: { description: 'Removed.', schema: linked } },
      },
      to.unlink,
    ),
    row({
      method: 'POST',
      path: '/phones/:phone/messages',
      operation: 'sandboxWrite',
      summary: 'The phone writes a message',
      params: phoneParams,
      body: z.looseObject({ to: z.string(), type: z.string(), body: z.string().optional() }),
      requestExample: { to: '15550002222', type: 'text', body: 'Hi' },
      answers: { 201: { description: 'Written.', schema: sent } },
    }),
    row({
      method: 'POST',
      path: '/phones/:phone/receipts',
      operation: 'sandboxReceipts',
      summary: 'The phone sends receipts',
      params: phoneParams,
      body: z.object({
        to: z.string(),
        message_ids: z.array(z.string()),
        type: z.enum(['delivered', 'read', 'played']),
      }),
      answers: { 200: { description: 'Sent.' } },
    }),
    row({
      method: 'PUT',
      path: '/phones/:phone/settings',
      operation: 'sandboxSettings',
      summary: 'How the phone behaves',
      params: phoneParams,
      body: z.object({
        auto_receipts: z.enum(['none', 'delivered', 'read']).optional(),
        online: z.boolean().optional(),
        reply_echo: z.boolean().optional(),
      }),
      answers: { 200: { description: 'The settings.' } },
    }),
    row({
      method: 'GET',
      path: '/phones/:phone/inbox',
      operation: 'sandboxInbox',
      summary: 'What the phone has decrypted, in order',
      params: phoneParams,
      query: z.object({ after: z.string().optional(), chat: z.string().optional() }),
      answers: { 200: { description: 'The messages.', schema: item.array() } },
    }),
    row({
      method: 'GET',
      path: '/phones/:phone/chats',
      operation: 'sandboxChats',
      summary: 'The chats of the phone',
      params: phoneParams,
      answers: { 200: { description: 'The chats.' } },
    }),
    row({
      method: 'POST',
      path: '/lines/:line_id/faults',
      operation: 'sandboxFault',
      summary: 'Something goes wrong on a line',
      params: lineParams,
      body: z.looseObject({ kind: z.string() }),
      requestExample: { kind: 'cut' },
      answers: { 201: { description: 'It will.' } },
    }),
    row({
      method: 'GET',
      path: '/lines/:line_id/faults',
      operation: 'sandboxFaults',
      summary: 'Faults still to come',
      params: lineParams,
      answers: { 200: { description: 'The faults.' } },
    }),
    row({
      method: 'DELETE',
      path: '/lines/:line_id/faults',
      operation: 'sandboxClearFaults',
      summary: 'Nothing goes wrong any more',
      params: lineParams,
      answers: { 204: { description: 'Cleared.' } },
    }),
    row({
      method: 'GET',
      path: '/lines/:line_id/wire',
      operation: 'sandboxWire',
      summary: 'Stanzas the server saw of a line',
      params: lineParams,
      query: z.object({ after: z.string().optional() }),
      answers: { 200: { description: 'The stanzas, without plaintext.' } },
    }),
    row({
      method: 'POST',
      path: '/reset',
      operation: 'sandboxReset',
      summary: 'Empty the world',
      answers: { 204: { description: 'Empty.' } },
    }),
  ];
}
