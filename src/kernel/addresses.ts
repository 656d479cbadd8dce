import ipaddr from 'ipaddr.js';

/**
 * An IP address in its one canonical spelling, from any in which a socket or a proxy may write it: brackets and
 * a port (`[::1]:80`, `192.0.2.1:80`), a zone (`fe80::1%eth0`), IPv4 mapped into IPv6 (`::ffff:192.0.2.1`).
 * Undefined for anything else, octal and short IPv4 (`0177.1`) included: two readers would read them differently.
 */
export function parseAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const bare =
    /^\[([^\]]*)\](?::\d{1,5})?$/.exec(trimmed)?.[1] ??
    /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(trimmed)?.[1] ??
    trimmed;
  const address = bare.replace(/%[\w.-]+$/, '');
  if (
    !ipaddr.IPv4.isValidFourPartDecimal(address) &&
    !(address.includes(':') && ipaddr.IPv6.isValid(address))
  ) {
    return undefined;
  }
  return ipaddr.process(address).toString(); // unmaps ::ffff:
}

/** `networks`: addresses and CIDR ranges, already checked by the settings. Answers whether a canonical address is in one. */
export function networkMatcher(networks: readonly string[]): (address: string) => boolean {
  const ranges = networks.map((network) => {
    const [address, bits] = network.includes('/')
      ? ipaddr.parseCIDR(network)
      : [ipaddr.parse(network), undefined];
    const mapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
    const base = mapped ? address.toIPv4Address() : address;
    const width = base.kind() === 'ipv4' ? 32 : 128;
    return { base, bits: bits === undefined ? width : Math.max(0, mapped ? bits - 96 : bits) };
  });
  return (text) => {
    if (ranges.length === 0 || !ipaddr.isValid(text)) return false;
    const address = ipaddr.parse(text);
    return ranges.some(({ base, bits }) => base.kind() === address.kind() && address.match(base, bits));
  };
}

/** Whether `text` is an IPv4 or IPv6 address or a CIDR range, in a spelling that every reader reads alike. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  if (more !== undefined || address.includes('%') || address.includes('[')) return false;
  if (parseAddress(address) === undefined || address !== address.trim()) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && ipaddr.isValidCIDR(text));
}
