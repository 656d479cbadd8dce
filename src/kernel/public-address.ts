import ipaddr from 'ipaddr.js';

/**
 * Whether an IP address is one of the public internet, where a stranger's URL may lead us. Loopback, private (RFC 1918),
 * carrier-grade NAT, link-local (the metadata services of clouds are there), unique local, multicast, documentation and
 * reserved ranges are not, nor the one address that Azure lends its own services; nor is any IPv6 form that carries an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo).
 *
 * `address`: as a resolver gives it. False for whatever isn't an address in its canonical notation.
 */
export function isPublicAddress(address: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) {
    return ipaddr.IPv4.parse(address).range() === 'unicast' && address !== AZURE_INTERNAL;
  }
  if (!address.includes(':') || address.includes('%') || !ipaddr.IPv6.isValid(address)) return false;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.range() === 'unicast' && GLOBAL_UNICAST.some((range) => parsed.match(range));
}

/**
 * Public by its number, answered by the host of a virtual machine: its agent, name server and probes.
 *
 * @see https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
 */
const AZURE_INTERNAL = '168.63.129.16';

/** RFC 4291 §2.4, as IANA has given it out: nothing outside 2000::/3 is routed. */
const GLOBAL_UNICAST = [ipaddr.IPv6.parseCIDR('2000::/3')];

/** The host itself, in the notations that `isPublicAddress` reads; not what is mapped or translated to it. */
export const isLoopbackAddress = (address: string): boolean =>
  (ipaddr.IPv4.isValidFourPartDecimal(address) || (address.includes(':') && ipaddr.IPv6.isValid(address))) &&
  ipaddr.parse(address).range() === 'loopback';
