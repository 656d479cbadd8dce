import ipaddr from 'ipaddr.js';

/**
 * What one caller has for the purpose of limits: an IPv4 address, or the /64 of an IPv6 one, within which a
 * single machine picks addresses freely. `ip`: as `ctx.ip` gives it.
 */
export function networkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  const prefix = (address as ipaddr.IPv6).parts.slice(0, 4);
  return `${prefix.map((part) => part.toString(16)).join(':')}::/64`;
}
