import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import type { SigningAlgorithm } from '../../config/signing-algorithms.ts';
import type { ChangeFeed } from '../kernel/change-feed.ts';
import type { SigningKey, SigningKeyStore } from './signing-key.ts';

const signAsync = promisify(sign);

type LoadedKey = { kid: string; algorithm: SigningAlgorithm; privateKey: KeyObject; publicKey: KeyObject };

type Loaded = {
  byKid: ReadonlyMap<string, LoadedKey>;
  current: ReadonlyMap<SigningAlgorithm, LoadedKey>;
  published: { keys: JWK[] };
};

export type KeyRing = ReturnType<typeof createKeyRing>;

/**
 * The signing keys as this process has them: which one signs, and what is published. `reload` reads them anew; `follow` does so
 * whenever some process has changed them.
 */
export function createKeyRing(store: Pick<SigningKeyStore, 'list'>, onFailure: (error: unknown) => void) {
  let loaded: Loaded = { byKid: new Map(), current: new Map(), published: { keys: [] } };
  let seen = '';
  let reading: Promise<void> = Promise.resolve();
  let isAsked = false;

  const read = async (): Promise<void> => {
    isAsked = false;
    const keys = await store.list();
    const now = JSON.stringify(keys.map(({ kid, status }) => [kid, status]));
    if (now === seen) return;
    loaded = load(keys, loaded.byKid);
    seen = now;
  };

  /** One reading after the other: what was asked for during one gets one of its own. */
  const reload = (): Promise<void> => {
    if (isAsked) return reading;
    isAsked = true;
    reading = reading.catch(() => undefined).then(read);
    return reading;
  };

  return {
    reload,
    follow: (feed: ChangeFeed): void => {
      feed.onChange((tag) => {
        if (tag.startsWith('signing-key:')) reload().catch(onFailure);
      });
      feed.onGap(() => {
        reload().catch(onFailure);
      });
    },
    /** The JWKS: public parts alone. The same object for as long as they are the same. */
    published: (): { keys: JWK[] } => loaded.published,
    /** The key that signs now. Throws when there is none: the process started without keys. */
    current: (algorithm: SigningAlgorithm): Pick<LoadedKey, 'kid' | 'publicKey'> => {
      const key = loaded.current.get(algorithm);
      if (!key) throw new Error(`no signing key for ${algorithm}`);
      return key;
    },
    /** A JWS signature (RFC 7515 §5.1) by this very key, off the event loop. */
    sign: async (kid: string, signingInput: Uint8Array): Promise<Buffer> => {
      const key = loaded.byKid.get(kid);
      if (!key) throw new Error('the signing key was dropped meanwhile');
      switch (key.algorithm) {
        case 'RS256':
          return signAsync('sha256', signingInput, key.privateKey);
        case 'ES256': // RFC 7518 §3.4: the two numbers of the signature side by side, not in DER
          return signAsync('sha256', signingInput, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
        case 'EdDSA': // RFC 8037 §3.1: no digest of its own
          return signAsync(null, signingInput, key.privateKey);
      }
    },
  };
}

function load(keys: readonly SigningKey[], known: ReadonlyMap<string, LoadedKey>): Loaded {
  const byKid = new Map(keys.map((key) => [key.kid, known.get(key.kid) ?? importKey(key)]));
  const current = new Map(
    keys.flatMap(({ kid, algorithm, status }) => {
      const key = byKid.get(kid);
      return status === 'current' && key ? [[algorithm, key] as const] : [];
    }),
  );
  return { byKid, current, published: { keys: keys.map(({ privateJwk }) => publicPart(privateJwk)) } };
}

function importKey({ kid, algorithm, privateJwk }: SigningKey): LoadedKey {
  const privateKey = createPrivateKey({ key: privateJwk, format: 'jwk' });
  return { kid, algorithm, privateKey, publicKey: createPublicKey(privateKey) };
}

/** What anybody may know of a key. Named one by one, so that nothing else slips through. */
const publicPart = ({ kty, n, e, crv, x, y, kid, alg, use }: JWK): JWK =>
  Object.fromEntries(
    Object.entries({ kty, n, e, crv, x, y, kid, alg, use }).filter(([, value]) => value !== undefined),
  ) as JWK;
