/** Private networks: the ones an operator may open. */
const PRIVATE_HOSTS = [
  ...[
    '10.0.0.1',
    '10.255.255.255',
    '167772161',
    '0xa000001',
    '012.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '192.168.1',
  ],
  ...[
    '3232235521',
    '0xc0a80001',
    '0300.0250.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '198.18.0.1',
    '[fd00::1]',
    '[fc00::1]',
  ],
  ...['[::ffff:10.0.0.1]', '[::ffff:c0a8:1]', '[64:ff9b::10.0.0.1]', '[2002:a00:1::]', '[2002:c0a8:1::1]'],
];

/** Hosts that lead, or are meant to lead, to a place no customer may reach. */
export const HOSTS = [
  // loopback in all the ways a URL can write it
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0x7f.0x0.0x0.0x1',
    '0177.0.0.1',
    '017700000001',
  ],
  ...[
    '127.255.255.254',
    '127.0.0.1.',
    '127。0。0。1',
    '１２７.０.０.１',
    '①②⑦.⓪.⓪.①',
    '127.0.0.%31',
    '%31%32%37.0.0.1',
  ],
  ...[
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[::7f00:1]',
    '[64:ff9b::127.0.0.1]',
  ],
  ...[
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[::ffff:0:7f00:1]',
    '[fe80::1]',
    '[fec0::1]',
    '[ff02::1]',
    '[::]',
    '0.0.0.0',
    '0',
  ],
  // metadata services
  ...[
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    '169.254.43518',
    '169.254.170.2',
    '[fd00:ec2::254]',
  ],
  ...[
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::a9fe:a9fe]',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
  ],
  // what is no host on the internet
  ...[
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
    '224.0.0.1',
    '239.255.255.250',
    '240.0.0.1',
    '255.255.255.255',
  ],
  ...['[2001:db8::1]', '[2001::1]', '[100::1]', '[3fff::1]', '[5f00::1]', '[4000::1]', '[2620:4f:8000::1]', '0.1.2.3'],
  // names that resolve there
  ...[
    'localhost',
    'LOCALHOST',
    'sub.localhost',
    'internal.test',
    'mapped.test',
    'mixed.test',
    'six.test',
    'meta.test',
    'nat64.test',
  ],
];
/** What the names among them resolve to. */
export const NAMES: Record<string, string[]> = {
  localhost: ['127.0.0.1', '::1'],
  'sub.localhost': ['127.0.0.1'],
  'internal.test': ['10.0.0.1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'mixed.test': ['93.184.216.34', '127.0.0.1'],
  'six.test': ['::1'],
  'meta.test': ['169.254.169.254'],
  'nat64.test': ['64:ff9b::7f00:1'],
};
const URLS = [
  ...[
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'ftp://127.0.0.1/',
    'data:text/plain,x',
    'javascript:alert(1)',
    'unix:/run/x.sock',
  ],
  ...[
    'https://user:pw@127.0.0.1/',
    'https://example.com@127.0.0.1/',
    'https://127.0.0.1#@example.com/',
    'https://127.0.0.1\\@example.com/',
  ],
  ...[
    'https://user@public.test/',
    'http://public.test/',
    'https://public.test:6379/',
    'https://public.test:25/',
    'https://public.test:5432/',
  ],
  ...[
    'https://public.test:2375/',
    'https://pub\nlic.test/',
    'https://public.test\t/',
    ' https://127.0.0.1/',
    'https:127.0.0.1',
    'https:\\\\127.0.0.1\\',
  ],
  ...[
    '//127.0.0.1/',
    '127.0.0.1',
    '',
    'https://',
    'https:///127.0.0.1',
    `https://public.test/${'a'.repeat(2_100)}`,
    'https://public.test./',
  ],
];

/** URLs that must never lead to a connection. `public.test` is a public name. */
export const SSRF_VECTORS: readonly string[] = [
  ...[...HOSTS, ...PRIVATE_HOSTS].flatMap((host) => [`http://${host}/`, `https://${host}/`]),
  ...URLS,
];
