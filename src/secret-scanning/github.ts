import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import type { SafeFetch } from '../kernel/safe-fetch.ts';

const KEPT_MS = 3_600_000;
/** An identifier that is not known asks for the keys anew, but not more often: anybody can make one up. */
const AGAIN_AFTER_MS = 60_000;

const published = z.object({
  public_keys: z.array(z.object({ key_identifier: z.string(), key: z.string() })).max(100),
});

/** Where the keys can't be had. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
}

export type PublishedKeys = (identifier: string) => Promise<KeyObject | undefined>;

/**
 * The keys that GitHub publishes for its secret scanning, kept for an hour. Rejects with KeysUnavailableError when there are
 * none yet and none can be fetched; those that are kept are good while they can't be fetched anew.
 */
export function createPublishedKeys(deps: {
  url: string;
  safeFetch: SafeFetch;
  clock: Clock;
}): PublishedKeys {
  let keys: ReadonlyMap<string, KeyObject> | undefined;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  const fetchKeys = async (): Promise<void> => {
    askedAtMs = deps.clock().getTime();
    try {
      const { status, body } = await deps.safeFetch(deps.url, { timeoutMs: 5_000, maxBytes: 100_000 });
      if (status !== 200) throw new Error(`the keys were answered with ${status}`);
      const { public_keys } = published.parse(JSON.parse(body.toString('utf8')));
      keys = new Map(public_keys.map(({ key_identifier, key }) => [key_identifier, createPublicKey(key)]));
    } catch (error) {
      if (!keys) throw new KeysUnavailableError('the published keys can not be had', { cause: error });
    }
  };

  return async (identifier) => {
    const ageMs = deps.clock().getTime() - askedAtMs;
    const isWanted = !keys || ageMs > KEPT_MS || (!keys.has(identifier) && ageMs > AGAIN_AFTER_MS);
    if (isWanted) {
      asking ??= fetchKeys().finally(() => {
        asking = undefined;
      });
      await asking;
    }
    return keys?.get(identifier);
  };
}

/** ECDSA over P-256 with SHA-256, the signature in DER and base64, over the body as it came. */
export function isSignedBy(key: KeyObject, body: string, signature: string): boolean {
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false;
  return verify('sha256', Buffer.from(body), { key, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'));
}
