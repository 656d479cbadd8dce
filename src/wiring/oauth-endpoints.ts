import type { Middleware } from 'koa';
import type Provider from 'oidc-provider';
import { tellingWhy } from '../apps/client-metadata-document.ts';
import { networkOf } from '../kernel/network-of.ts';
import { DEVICE_PAGE, deviceAuthorization, devicePage } from '../oauth/device-flow.ts';
import { oauthEndpoints } from '../oauth/endpoints.ts';
import { introspectionEndpoint } from '../oauth/introspection.ts';
import { CLIENT_FAILURES_PER_MINUTE, limitFailures } from '../oauth/limit-failures.ts';
import { createPrepareClient } from '../oauth/prepare-clients.ts';
import { revocationEndpoint } from '../oauth/revocation.ts';
import type { Sessions } from '../oauth/sessions.ts';
import { tokenTransaction } from '../oauth/token-endpoint.ts';
import type { Services } from '../services.ts';

/** The provider at its addresses, with what has to happen before it, around it and in one transaction with it. */
export function wireOAuthEndpoints(
  services: Services,
  { provider, sessions }: { provider: Provider; sessions: Sessions },
): Middleware {
  const { config, transaction, audit, grants, records, tokenBases, createAttemptLimit } = services;
  const { apiUrl, webUrl } = config;
  const guessing = { createLimit: createAttemptLimit, networkOf };
  return oauthEndpoints({
    provider,
    webUrl,
    jwks: { publish: services.keyRing.published, maxAgeSeconds: config.jwksCacheSeconds },
    limitFailures: limitFailures({
      byNetwork: createAttemptLimit({
        name: 'client-authentication-network',
        attempts: CLIENT_FAILURES_PER_MINUTE,
        windowSeconds: 60,
      }),
      byClient: createAttemptLimit({
        name: 'client-authentication',
        attempts: CLIENT_FAILURES_PER_MINUTE,
        windowSeconds: 60,
      }),
      networkOf,
    }),
    alsoAdvertised: {
      userinfo_endpoint: `${apiUrl}/oauth/userinfo`,
      ...(config.registration === 'off' ? {} : { registration_endpoint: `${apiUrl}/oauth/register` }),
      ...(config.clientIdMetadataDocuments ? { client_id_metadata_document_supported: true } : {}),
    },
    prepareClient: createPrepareClient({
      keys: services.clientKeys,
      readDocument: config.clientIdMetadataDocuments ? tellingWhy(services.readMetadataDocument) : undefined,
      limit: createAttemptLimit({ name: 'metadata-documents', attempts: 30, windowSeconds: 60 }),
      networkOf,
    }),
    around: {
      '/oauth/device_authorization': deviceAuthorization({ webUrl, ...guessing }),
      [DEVICE_PAGE]: devicePage({
        ...guessing,
        currentUserId: async (ctx) => (await sessions.current(ctx))?.userId,
      }),
      '/oauth/introspect': introspectionEndpoint,
      '/oauth/revoke': revocationEndpoint(transaction),
      '/oauth/token': tokenTransaction({
        transaction: (work) => tokenBases.during(() => transaction(work)),
        grants,
        deleteByGrant: records.deleteByGrant,
        graceSeconds: config.refreshGraceSeconds,
        keepAnswer: records.keepAnswer,
        keptAnswer: records.keptAnswer,
        recordReplay: ({ organizationId, appId, grantId, ip }) =>
          audit({
            type: 'token.replayed',
            organizationId,
            actor: { type: 'app', ...(appId ? { id: appId } : {}) },
            targetId: grantId,
            ip,
          }),
      }),
    },
  });
}
