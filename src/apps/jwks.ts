import { createPublicKey } from 'node:crypto';

/** Public keys of an app (RFC 7517 §5). */
export type Jwks = { keys: { kty: string; [member: string]: unknown }[] };

const MOST_KEYS = 20;
const FEWEST_RSA_BITS = 2048;
/** RFC 7518 §6: what only the owner of a key may know. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** What is wrong with an app's keys; undefined when nothing is. A private key that was sent by mistake is refused, not kept. */
export function jwksFault({ keys }: Jwks): string | undefined {
  if (keys.length < 1 || keys.length > MOST_KEYS) return `must hold 1 to ${MOST_KEYS} keys`;
  for (const key of keys) {
    if (PRIVATE_MEMBERS.some((member) => member in key)) return 'must hold public keys alone';
    try {
      const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key, format: 'jwk' });
      if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < FEWEST_RSA_BITS) {
        return `must hold RSA keys of ${FEWEST_RSA_BITS} bits or more`;
      }
    } catch {
      return 'must hold whole RSA, EC or OKP keys';
    }
  }
  return undefined;
}

/** What is wrong with the URL of an app's keys, as far as its spelling tells. Where it leads is seen when it is fetched. */
export function jwksUriFault(uri: string): string | undefined {
  const url = URL.parse(uri);
  if (!url || url.href !== uri || /[^\x21-\x7e]/.test(uri))
    return 'must be an absolute URL in its normal form';
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(loopback && url.protocol === 'http:')) return 'must be an https URL';
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    return 'must hold no user name and no fragment';
  return undefined;
}
