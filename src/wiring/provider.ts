import type Provider from 'oidc-provider';
import { apiKeysOutside } from '../api-keys/outside-use.ts';
import type { RenderPage } from '../http/page.ts';
import { prepareApp } from '../http/request.ts';
import type { ChangeFeed } from '../kernel/change-feed.ts';
import { accessTokens } from '../oauth/access-tokens.ts';
import type { FindAccount } from '../oauth/account.ts';
import { createProvider } from '../oauth/provider.ts';
import { describeRefreshToken } from '../oauth/refresh-token-description.ts';
import { rememberClients } from '../oauth/remember-clients.ts';
import type { JudgeAccessToken } from '../principals/access-token.ts';
import type { Services } from '../services.ts';

export type ProviderParts = {
  cookieKeys: string[];
  dpopNonceSecret: Buffer;
  feed: ChangeFeed;
  judge: JudgeAccessToken;
  findAccount: FindAccount;
  noteSeen(uid: string, ip: string): void;
  renderPage: RenderPage;
};

/** The library, with what stands behind it: our stores, the tokens and keys that it does not keep, our error page. */
export function wireProvider(services: Services, parts: ProviderParts): Provider {
  const { config, logger, clock, transaction, audit, organizations, grants, records, tokenBases } = services;
  const { apiUrl, webUrl } = config;
  const { findAccount, renderPage, judge } = parts;
  const planOf = async (id: string) => (await organizations.find(id))?.plan;
  const keys = services.keyRing.published;

  const provider = createProvider({
    apiUrl,
    webUrl,
    keyRing: services.keyRing,
    cookieKeys: parts.cookieKeys,
    dpopNonceSecret: parts.dpopNonceSecret,
    requireDpopNonce: config.requireDpopNonce,
    useOnce: records.useOnce,
    notePoll: records.notePoll,
    adapterFor: services.oauthAdapterFor,
    findAccount: async (id) => {
      const basis = tokenBases.ofUser(id);
      return basis ? basis.account : findAccount(id);
    },
    roleOf: async (member) => {
      const basis = tokenBases.ofUser(member.userId);
      return basis?.organizationId === member.organizationId ? basis.role : organizations.roleOf(member);
    },
    grants,
    renderPage,
    outsideTokens: [
      accessTokens({ apiUrl, keys, judge, planOf, revoked: services.revokedTokens, audit, clock }),
      apiKeysOutside({ apiUrl, apiKeys: services.apiKeys, manageApiKeys: services.manageApiKeys, planOf }),
    ],
    describeRefreshToken: async (token) =>
      describeRefreshToken(apiUrl, token, await grants.standingOf(token.grantId)),
    ownerOfGrant: grants.standingOf,
    endFamily: services.endFamily,
    noteSecretUse: (secretId) => services.secretUses.note(secretId, {}),
    transaction,
    sessionStore: services.sessionStore,
    noteSeen: parts.noteSeen,
    renderError: (ctx, { status, error, description }) =>
      renderPage(
        ctx,
        'error',
        {
          status,
          title: status >= 500 ? 'Something went wrong' : 'This request can’t go on',
          detail: description,
          code: error,
          requestId: ctx.state.requestId,
        },
        { status },
      ),
    clock,
  });
  prepareApp(provider, config, logger);
  const clients = rememberClients(provider, parts.feed, {
    lifetimeSeconds: config.credentialCacheSeconds,
    maxEntries: 20_000,
  });
  services.onAppChange(clients.forget);
  return provider;
}
