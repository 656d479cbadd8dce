import { createApiKeyResolver } from '../api-keys/verify.ts';
import type { ChangeFeed } from '../kernel/change-feed.ts';
import { createAccessTokenResolver, type JudgeAccessToken } from '../principals/access-token.ts';
import { createCredentialCache } from '../principals/credential-cache.ts';
import { createProveKey } from '../principals/dpop.ts';
import { createDpopNonces } from '../principals/dpop-nonces.ts';
import { createResolve, type Resolve } from '../principals/resolve.ts';
import type { Services } from '../services.ts';

export type ResolveParts = { feed: ChangeFeed; judge: JudgeAccessToken; dpopNonceSecret: Buffer };

/** Whom a credential proves: the resolvers of both kinds, what is remembered of them, and the proof that goes with a token. */
export function wireResolve(services: Services, { feed, judge, dpopNonceSecret }: ResolveParts): Resolve {
  const { config, clock, records } = services;
  const { apiUrl } = config;
  const memory = createCredentialCache(feed, {
    lifetimeSeconds: config.credentialCacheSeconds,
    maxEntries: 50_000,
  });
  return createResolve(
    [
      createApiKeyResolver({
        apiKeys: services.apiKeys,
        noteOutsideUse: ({ id, ...owner }, ip) => services.outsideUses.note(id, { ...owner, ip }),
      }),
      createAccessTokenResolver({ apiUrl, judge, clock }),
    ],
    {
      memory,
      proveKey: createProveKey({
        apiUrl,
        clock,
        nonces: createDpopNonces(dpopNonceSecret, clock),
        requireNonce: config.requireDpopNonce,
        useOnce: records.useOnce,
      }),
    },
  );
}
