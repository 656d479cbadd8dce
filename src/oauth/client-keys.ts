import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Clock } from '../kernel/clock.ts';
import type { SafeFetch } from '../kernel/safe-fetch.ts';

type Jwks = { keys: { kid?: string }[] };

/** How long keys are believed; a key that an app withdrew works no longer than this. */
const FRESH_MS = 60_000;
/** How soon they are asked for again when an assertion names a key that isn't among them: it was just rotated. */
const AGAIN_MS = 5_000;
const MOST_APPS = 10_000;

export type ClientKeysDeps = {
  safeFetch: SafeFetch;
  clock: Clock;
  /** The `jwks_uri` of an app; undefined when there is no such app or it has none. */
  jwksUriOf(clientId: string): Promise<string | undefined>;
};

export type ClientKeys = {
  /** Fetches the keys of the app that made this assertion (RFC 7523), unless they are known. Never throws. */
  prepare(assertion: string): Promise<void>;
  /** The keys that were fetched last, while they may be believed; none otherwise. Touches nothing. */
  known(jwksUri: string): Jwks;
};

/**
 * The keys of apps that keep them at a URL of their own. They are fetched before a request opens its transaction, and used in
 * it: a slow server of an app's must not hold a database connection. The library itself fetches nothing.
 */
export function createClientKeys({ safeFetch, clock, jwksUriOf }: ClientKeysDeps): ClientKeys {
  const entries = new Map<string, { jwks: Jwks; atMs: number }>();
  const asking = new Map<string, Promise<void>>();

  const fetchKeys = async (uri: string): Promise<void> => {
    const jwks = await readKeys(safeFetch, uri);
    entries.delete(uri);
    entries.set(uri, { jwks, atMs: clock().getTime() });
    const [oldest] = entries.keys();
    if (entries.size > MOST_APPS && oldest !== undefined) entries.delete(oldest);
  };

  return {
    prepare: async (assertion) => {
      const named = readAssertion(assertion);
      const uri = named && (await jwksUriOf(named.clientId));
      if (!uri) return;
      const entry = entries.get(uri);
      const ageMs = entry ? clock().getTime() - entry.atMs : Number.POSITIVE_INFINITY;
      const knows = named.kid === undefined || entry?.jwks.keys.some(({ kid }) => kid === named.kid);
      if (ageMs < (knows ? FRESH_MS : AGAIN_MS)) return;
      const running = asking.get(uri) ?? fetchKeys(uri).finally(() => asking.delete(uri));
      asking.set(uri, running);
      await running;
    },
    known: (uri) => {
      const entry = entries.get(uri);
      return entry && clock().getTime() - entry.atMs < 2 * FRESH_MS ? entry.jwks : { keys: [] };
    },
  };
}

/** Whose assertion it says to be, and of which key: nothing of it is verified here. */
function readAssertion(assertion: string): { clientId: string; kid: string | undefined } | undefined {
  try {
    const { sub } = decodeJwt(assertion);
    const { kid } = decodeProtectedHeader(assertion);
    return sub === undefined ? undefined : { clientId: sub, kid };
  } catch {
    return undefined;
  }
}

/** No keys, when there is no proper answer: the app then proves nothing, which is told as for any wrong assertion. */
async function readKeys(safeFetch: SafeFetch, uri: string): Promise<Jwks> {
  try {
    const headers = { Accept: 'application/json, application/jwk-set+json' };
    const { status, body } = await safeFetch(uri, { headers, timeoutMs: 3_000, maxBytes: 64 * 1024 });
    const value: unknown = status === 200 ? JSON.parse(body.toString('utf8')) : undefined;
    const keys = (value as { keys?: unknown } | undefined)?.keys;
    return Array.isArray(keys) && keys.length <= 100 ? { keys: keys.filter(isPublicKey) } : { keys: [] };
  } catch {
    return { keys: [] };
  }
}

const isPublicKey = (key: unknown): key is { kid?: string } =>
  typeof key === 'object' && key !== null && !['d', 'k', 'p', 'priv'].some((member) => member in key);
