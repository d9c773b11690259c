import type { Node } from '@ponte/engine';
import { describe, expect, it } from 'vitest';
import { Redactor } from './redactor.ts';

describe('what a trace shows of a stanza', () => {
  it('keeps ids, types, codes and times; addresses get one name each, of the rest the length is left', () => {
    const redactor = new Redactor();
    const stanza: Node = {
      tag: 'message',
      attrs: {
        ...{ id: '3EB0AA', from: '9007199254740@lid', sender_pn: '15550001111:3@s.whatsapp.net' },
        ...{ notify: 'Alice', t: '1777000000', type: 'text', offline: '1' },
      },
      content: [
        { tag: 'enc', attrs: { v: '2', type: 'pkmsg' }, content: new Uint8Array(214) },
        { tag: 'error', attrs: { code: '463', text: 'not-authorized' } },
        { tag: 'body', attrs: {}, content: 'Grüße' },
      ],
    };
    expect(redactor.write(stanza)).toBe(
      '<message id="3EB0AA" from="lid-1" sender_pn="pn-1:3" notify="[5]" t="1777000000" type="text" offline="1">' +
        '<enc v="2" type="pkmsg">[214 bytes]</enc><error code="463" text="not-authorized"/><body>[7 bytes]</body></message>',
    );
    expect(redactor.write({ tag: 'receipt', attrs: { to: '15550001111@s.whatsapp.net' } })).toBe(
      '<receipt to="pn-1"/>',
    );
    expect(
      redactor.write({ tag: 'ack', attrs: { to: '9007199254740:2@lid', from: '15550002222@s.whatsapp.net' } }),
    ).toBe('<ack to="lid-1:2" from="pn-2"/>');
  });

  it.each([
    [{ id: '15550001111' }, 'id="number-1"'],
    [{ id: 'call-15550009999-1', to: '15550009999@s.whatsapp.net' }, 'id="[18]" to="pn-1"'],
    [{ code: 'AbCdEfInvite' }, 'code="[12]"'],
    [{ type: '15550001111' }, 'type="[11]"'],
    [{ xmlns: 'w:g2', to: '@g.us', jid: 'status@broadcast' }, 'xmlns="w:g2" to="@g.us" jid="status@broadcast"'],
    [
      { phone: '15550001111', subject: 'Praline', token: 'abc', text: 'hi' },
      'phone="[11]" subject="[7]" token="[3]" text="[2]"',
    ],
    [{ from: 'not an @address' }, 'from="[15]"'],
    [{ jid: '1203630000000@g.us', creator: '123@newsletter' }, 'jid="group-1" creator="channel-1"'],
  ])('of %j it shows %s', (attrs, shown) => {
    // A person is known before an id that holds their number.
    const redactor = new Redactor();
    const { to } = attrs as { to?: string };
    if (to?.startsWith('1')) redactor.write({ tag: 'iq', attrs: { to } });
    expect(redactor.write({ tag: 'iq', attrs: attrs as Record<string, string> })).toBe(`<iq ${shown}/>`);
  });

  it('stays short, whatever comes', () => {
    const many = Array.from({ length: 1_024 }, (_, n) => ({ tag: 'to', attrs: { jid: `1555000${n}@s.whatsapp.net` } }));
    expect(new Redactor().write({ tag: 'iq', attrs: {}, content: many })).toMatch(/\[1004 more\]<\/iq>$/);
    const attrs = Object.fromEntries(many.map((_, n) => [`a${n}`, 'x'.repeat(50)]));
    expect(new Redactor().write({ tag: 'iq', attrs }).length).toBeLessThan(4_100);
    let deep = { tag: 'x', attrs: {}, content: [] as unknown };
    for (let n = 0; n < 100; n++) deep = { tag: 'x', attrs: {}, content: [deep] };
    expect(new Redactor().write(deep as Parameters<Redactor['write']>[0])).toContain('[1 children]');
  });
});
