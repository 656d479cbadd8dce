import { isIP } from 'node:net';
import { isLoopbackAddress, isPublicAddress } from './public-address.ts';

export type PublicUrlRules = {
  /** For development and tests: loopback may be asked, by plain HTTP too; nothing else changes. */
  allowLoopback: boolean;
};

/** Whether a stranger's URL over `protocol` may lead to this address. */
export const isAllowedAddress = (
  address: string,
  protocol: string,
  { allowLoopback }: PublicUrlRules,
): boolean =>
  (allowLoopback && isLoopbackAddress(address)) || (protocol === 'https:' && isPublicAddress(address));

/**
 * A stranger's URL, or what is wrong with it, in words that may be shown. https alone, no user name, no host that is an address
 * inside. Doesn't look names up: where they lead is known only when something connects (`SafeFetch`).
 */
export function readPublicUrl(target: string, rules: PublicUrlRules): URL | { fault: string } {
  const url = URL.parse(target); // also brings 0x7f.1, 2130706433 and full-width digits into one notation
  if (!url) return { fault: 'This is not an absolute URL.' };
  if (url.protocol !== 'https:' && !(rules.allowLoopback && url.protocol === 'http:')) {
    return { fault: 'Only https URLs are fetched.' };
  }
  if (url.username !== '' || url.password !== '') {
    return { fault: 'The URL must not hold a user name or password.' };
  }
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && !isAllowedAddress(literal, url.protocol, rules)) return { fault: NOT_PUBLIC };
  return url;
}

export const NOT_PUBLIC = 'The host is not on the public internet.';
