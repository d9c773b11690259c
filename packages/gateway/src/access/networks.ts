import ipaddr from 'ipaddr.js';

/**
 * A network as it is compared and shown (`10.1.0.0/16`, `2001:db8::/32`); one address stands for
 * itself. Undefined for what is neither. IPv4 in IPv6 clothes is taken for the address inside.
 */
export function normalNetwork(text: string): string | undefined {
  const [address = '', bits, ...more] = text.trim().split('/');
  // The old short forms of IPv4 (`10.1`) mean other addresses than people think.
  const isPlain = address.includes(':') ? ipaddr.IPv6.isValid(address) : ipaddr.IPv4.isValidFourPartDecimal(address);
  if (!isPlain || more.length > 0 || address.includes('%')) return undefined;
  const ip = ipaddr.process(address);
  const most = ip.kind() === 'ipv4' ? 32 : 128;
  const mappedBy = address.includes(':') && most === 32 ? 96 : 0;
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) - mappedBy : -1;
  if (length < 0 || length > most) return undefined;
  const bytes = ip.toByteArray().map((byte, at) => byte & (0xff00 >> Math.max(0, Math.min(8, length - at * 8))) & 0xff);
  return `${ipaddr.fromByteArray(bytes).toString()}/${length}`;
}

/** Whether an address lies in one of the networks, which are as `normalNetwork` wrote them. */
export function isInside(address: string, networks: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.process(address);
  return networks.some((network) => {
    const [net, bits] = ipaddr.parseCIDR(network);
    return net.kind() === ip.kind() && ip.match(net, bits);
  });
}
