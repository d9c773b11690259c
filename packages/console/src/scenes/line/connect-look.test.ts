import { expect, it } from 'vitest';
import { bodyOf, PLAIN, readableOn, readLook } from './connect-look.ts';

const LOGO = 'data:image/png;base64,aGk=';

it('leaves out what is empty, and takes origins one a line', () => {
  expect(bodyOf(PLAIN)).toEqual({});
  const look = {
    ...PLAIN,
    name: ' Café Olé ',
    colour: '#10204a',
    origins: 'https://a.example\n https://b.example, \n',
  };
  expect(bodyOf({ ...look, redirect: 'https://a.example/done', locale: 'es', logo: LOGO })).toEqual({
    name: 'Café Olé',
    colour: '#10204a',
    locale: 'es',
    logo: LOGO,
    redirect_url: 'https://a.example/done',
    embed_origins: ['https://a.example', 'https://b.example'],
  });
});

it('reads back what it kept, and nothing else', () => {
  const look = { ...PLAIN, name: 'Café Olé', logo: LOGO };
  expect(readLook(JSON.stringify(look))).toEqual(look);
  for (const text of [null, '', 'null', '[]', '{"name":1}', '{"logo":"https://evil.example/x.png"}']) {
    expect(readLook(text), String(text)).toEqual(PLAIN);
  }
});

it('says which colour of text can be read', () => {
  expect(['#000000', '#10204a', '#ffe066', '#ffffff'].map(readableOn)).toEqual(['#fff', '#fff', '#000', '#000']);
});
