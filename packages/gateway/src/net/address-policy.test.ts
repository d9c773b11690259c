import { describe, expect, test } from 'vitest';
import { classifyAddress, createAddressPolicy, parseAllowEntry, parseAllowList } from './address-policy.ts';

const target = (hostname: string, port: number, secure = false) => ({ hostname, port, secure });

describe('classes of addresses', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['1.1.1.1', 'public'],
    ['100.63.255.255', 'public'],
    ['172.32.0.1', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['2a00:1450:4001:800::200e', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['10.0.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['198.19.255.255', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['169.254.169.254', 'link_local'],
    ['169.254.170.2', 'link_local'],
    ['fe80::1', 'link_local'],
    ['fd00:ec2::254', 'link_local'],
    ['100.100.100.200', 'link_local'],
    ['168.63.129.16', 'link_local'],
    ['192.0.0.192', 'link_local'],
    ['0.0.0.0', 'never'],
    ['0.1.2.3', 'never'],
    ['192.0.2.1', 'never'],
    ['203.0.113.9', 'never'],
    ['224.0.0.1', 'never'],
    ['255.255.255.255', 'never'],
    ['240.0.0.1', 'never'],
    ['::', 'never'],
    ['::7f00:1', 'never'],
    ['::127.0.0.1', 'never'],
    ['64:ff9b::7f00:1', 'never'],
    ['64:ff9b::a00:1', 'never'],
    ['64:ff9b:1::1', 'never'],
    ['100::1', 'never'],
    ['100:0:0:1::1', 'never'],
    ['2001::1', 'never'],
    ['2001:db8::1', 'never'],
    ['2002:7f00:1::', 'never'],
    ['2002:a00:1::', 'never'],
    ['3fff::1', 'never'],
    ['4000::1', 'never'],
    ['5f00::1', 'never'],
    ['fec0::1', 'never'],
    ['ff02::1', 'never'],
    ['fe80::1%eth0', 'never'],
    ['not an address', 'never'],
    ['', 'never'],
  ])('%s is %s', (address, kind) => expect(classifyAddress(address)).toBe(kind));
});

describe('without entries', () => {
  const policy = createAddressPolicy({ allow: [], ownPorts: [8080] });
  test('public addresses pass over https only, and not on service ports', () => {
    expect(policy.judge(target('example.com', 443, true), '93.184.216.34')).toEqual({ allowed: true, by: 'public' });
    expect(policy.judge(target('example.com', 8443, true), '93.184.216.34').allowed).toBe(true);
    expect(policy.judge(target('example.com', 80), '93.184.216.34')).toEqual({ allowed: false, reason: 'not_https' });
    expect(policy.judge(target('example.com', 6379, true), '93.184.216.34')).toEqual({
      allowed: false,
      reason: 'port',
    });
  });
  test.each(['10.0.0.1', '127.0.0.1', '::1', '169.254.169.254', 'fd00::1', '0.0.0.0'])('%s is refused', (address) => {
    expect(policy.judge(target('evil.example', 443, true), address)).toEqual({ allowed: false, reason: 'address' });
  });
});

describe('the operator opens what he names, and nothing else', () => {
  test('a name with a port opens private answers of that name on that port, over http too', () => {
    const policy = createAddressPolicy({ allow: parseAllowList('n8n:5678'), ownPorts: [8080] });
    expect(policy.judge(target('n8n', 5678), '172.18.0.4')).toEqual({ allowed: true, by: 'exact' });
    expect(policy.judge(target('n8n', 5679), '172.18.0.4').allowed).toBe(false);
    expect(policy.judge(target('evil.example', 5678), '172.18.0.4').allowed).toBe(false);
    expect(policy.judge(target('n8n', 5678), '169.254.169.254').allowed).toBe(false);
    expect(policy.judge(target('n8n', 5678), '0.0.0.0').allowed).toBe(false);
  });
  test('a network opens its addresses, except service ports and own ports', () => {
    const policy = createAddressPolicy({ allow: parseAllowList('10.1.0.0/16'), ownPorts: [8080] });
    expect(policy.judge(target('10.1.2.3', 9000), '10.1.2.3')).toEqual({ allowed: true, by: 'network' });
    expect(policy.judge(target('host.lan', 443, true), '10.1.2.3').allowed).toBe(true);
    expect(policy.judge(target('10.1.2.3', 8080), '10.1.2.3')).toEqual({ allowed: false, reason: 'port' });
    expect(policy.judge(target('10.1.2.3', 5432), '10.1.2.3')).toEqual({ allowed: false, reason: 'port' });
    expect(policy.judge(target('10.2.0.1', 9000), '10.2.0.1').allowed).toBe(false);
  });
  test.each(['0.0.0.0/0,::/0', '127.0.0.0/8,169.254.0.0/16,::1/128', '0.0.0.0/0:9000,::/0:9000'])(
    'the networks %s open neither loopback nor metadata nor what is no host',
    (setting) => {
      const policy = createAddressPolicy({ allow: parseAllowList(setting), ownPorts: [8080] });
      const guarded = ['127.0.0.1', '::1', '169.254.169.254', '169.254.170.2', 'fd00:ec2::254', '100.100.100.200'];
      const never = [
        '168.63.129.16',
        '0.0.0.0',
        '::',
        '64:ff9b::7f00:1',
        '2002:7f00:1::',
        '224.0.0.1',
        '255.255.255.255',
      ];
      for (const address of [...guarded, ...never]) {
        expect(policy.judge(target('x.example', 9000), address), address).toEqual({
          allowed: false,
          reason: 'address',
        });
      }
    },
  );
  test('loopback needs host:port', () => {
    const policy = createAddressPolicy({ allow: parseAllowList('127.0.0.1:9000,localhost:9001'), ownPorts: [8080] });
    expect(policy.judge(target('127.0.0.1', 9000), '127.0.0.1')).toEqual({ allowed: true, by: 'exact' });
    expect(policy.judge(target('127.0.0.1', 9002), '127.0.0.1').allowed).toBe(false);
    expect(policy.judge(target('localhost', 9001), '::1').allowed).toBe(true);
    expect(policy.judge(target('evil.example', 9001), '127.0.0.1').allowed).toBe(false);
  });
  test('an own port or a service port needs exactly its entry', () => {
    const policy = createAddressPolicy({ allow: parseAllowList('10.0.0.5:8080,10.0.0.6:6379'), ownPorts: [8080] });
    expect(policy.judge(target('10.0.0.5', 8080), '10.0.0.5').allowed).toBe(true);
    expect(policy.judge(target('10.0.0.6', 6379), '10.0.0.6').allowed).toBe(true);
    expect(policy.judge(target('10.0.0.6', 8080), '10.0.0.6').allowed).toBe(false);
  });
  test('metadata opens by its literal address and port only', () => {
    const policy = createAddressPolicy({ allow: parseAllowList('169.254.169.254:80,meta:80'), ownPorts: [] });
    expect(policy.judge(target('169.254.169.254', 80), '169.254.169.254').allowed).toBe(true);
    expect(policy.judge(target('meta', 80), '169.254.170.2').allowed).toBe(false);
  });
});

describe('entries', () => {
  test.each([
    'n8n',
    'n8n:5678',
    '10.1.0.0/16',
    '10.1.0.0/16:5678',
    '[fd00::1]:80',
    'fd00::/8',
    '[fd00::/8]:443',
    '192.168.1.7',
  ])('%s is read', (text) => expect(parseAllowEntry(text).text).toBe(text));
  test.each([
    ['127.0.0.1', 'needs its port'],
    ['localhost', 'needs its port'],
    ['169.254.169.254', 'needs its port'],
    ['0.0.0.0:80', 'is no address of a host'],
    ['n8n:99999', 'has no possible port'],
    ['10.0.0.0/99', 'is no network'],
    ['http://n8n', 'is no'],
    ['a b', 'is no host name'],
  ])('%s is refused with its remedy', (text, why) => {
    expect(() => parseAllowEntry(text)).toThrow(why);
    expect(() => parseAllowEntry(text)).toThrow('ALLOW_PRIVATE_TARGETS');
  });
  test('the empty setting opens nothing', () => expect(parseAllowList(' , ')).toEqual([]));
});
