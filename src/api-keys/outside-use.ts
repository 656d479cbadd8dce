import { epochSeconds } from '../kernel/clock.ts';
import { sha256 } from '../kernel/secret.ts';
import type { Principal } from '../principals/principal.ts';
import { type ApiKeyStore, allowlistOf, hasKeyShape } from './api-key.ts';
import type { ApiKeys } from './manage.ts';
import { judgeKey } from './verify.ts';

type Deps = {
  apiUrl: string;
  apiKeys: Pick<ApiKeyStore, 'findByHash'>;
  manageApiKeys: Pick<ApiKeys, 'revoke'>;
  planOf(organizationId: string): Promise<string | undefined>;
};

/**
 * API keys at the OAuth endpoints: what introspection says of one (RFC 7662 §2.2), and how revocation ends it, which is
 * the way of `/v1`. Who may ask is decided there. `ip_allowlist` is told, for who asks is who has to hold callers to it.
 */
export function apiKeysOutside({ apiUrl, apiKeys, manageApiKeys, planOf }: Deps) {
  const find = async (credential: string) =>
    hasKeyShape(credential) ? apiKeys.findByHash(sha256(credential)) : undefined;

  return {
    describe: async (credential: string) => {
      const key = await find(credential);
      const judged = judgeKey(key);
      if (!key || judged.kind !== 'proven') return undefined;
      const { id, organizationId, environment, scopes } = judged.principal;
      const creator = key.createdBy ?? key.createdByApp;
      const allowlist = allowlistOf(key);
      return {
        ...ownership(key),
        description: {
          ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
          ...(key.createdByApp ? { client_id: key.createdByApp } : {}),
          token_type: 'Bearer',
          ...(key.expiresAt ? { exp: epochSeconds(key.expiresAt) } : {}),
          iat: epochSeconds(key.createdAt),
          ...(creator ? { sub: creator } : {}),
          iss: apiUrl,
          jti: id,
          ...(allowlist.length > 0 ? { ip_allowlist: allowlist } : {}),
          org_id: organizationId,
          env: environment,
          auth_method: 'api_key',
          plan: await planOf(organizationId),
        },
      };
    },
    findToEnd: async (credential: string) => {
      const key = await find(credential);
      if (!key) return undefined;
      return {
        ...ownership(key),
        end: async ({ clientId, ip }: { clientId: string; ip: string }) => {
          const { organizationId, environment } = key;
          // As the app would at /v1, in the key's own organization: resource servers are of another.
          const principal: Principal = {
            method: 'client_credentials',
            id: clientId,
            clientId,
            organizationId,
            environment,
            scopes: [],
          };
          await manageApiKeys.revoke({ principal, ip }, key.id);
        },
      };
    },
  };
}

const ownership = ({
  organizationId,
  environment,
  createdByApp,
}: Pick<Principal, 'organizationId' | 'environment'> & { createdByApp: string | undefined }) => ({
  organizationId,
  environment,
  ...(createdByApp ? { clientId: createdByApp } : {}),
});
