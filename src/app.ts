import Router from '@koa/router';
import Koa from 'koa';
import { createViews, loadAssets } from '../views/views.ts';
import { createAccounts } from './accounts/accounts.ts';
import { connectionRoutes } from './accounts/connection-routes.ts';
import { createPasskeys } from './accounts/passkeys.ts';
import { createProfile } from './accounts/profile.ts';
import { profileRoutes } from './accounts/profile-routes.ts';
import { accountRoutes } from './accounts/routes.ts';
import { createSecondFactors } from './accounts/second-factors.ts';
import { securityRoutes } from './accounts/security-routes.ts';
import { sessionRoutes } from './accounts/session-routes.ts';
import { createSignIn } from './accounts/sign-in.ts';
import { createSignInForm } from './accounts/sign-in-form.ts';
import { createSignedInPages, secondFactorSetup } from './accounts/signed-in-pages.ts';
import { describeAlert } from './alerts/describe.ts';
import { apiKeysOutside } from './api-keys/outside-use.ts';
import { createApiKeyResolver } from './api-keys/verify.ts';
import { apiRoutes } from './api-routes.ts';
import { tellingWhy } from './apps/client-metadata-document.ts';
import { registrationEndpoint } from './apps/registration-routes.ts';
import { consoleRoutes } from './console/routes.ts';
import { createTokenRequest } from './console/token-request.ts';
import { docsRoutes } from './docs/routes.ts';
import { serveAssets } from './http/assets.ts';
import { authenticate } from './http/authenticate.ts';
import { createCsrf } from './http/csrf.ts';
import { healthRoutes } from './http/health.ts';
import { httpsOnly } from './http/https-only.ts';
import { createPageRenderer } from './http/page.ts';
import { places } from './http/places.ts';
import { renderErrors } from './http/problem.ts';
import { createCallLimits, FAILURES_PER_MINUTE } from './http/rate-limit.ts';
import { checkRequest, prepareApp, requestContext } from './http/request.ts';
import { createApiRoutes } from './http/router.ts';
import { securityHeaders } from './http/security-headers.ts';
import { networkOf } from './kernel/network-of.ts';
import { accessTokens } from './oauth/access-tokens.ts';
import { connectedAppsOf, grantUseId } from './oauth/connected-apps.ts';
import { DEVICE_PAGE, deviceAuthorization, devicePage } from './oauth/device-flow.ts';
import { oauthEndpoints } from './oauth/endpoints.ts';
import { interactionRoutes } from './oauth/interactions.ts';
import { introspectionEndpoint } from './oauth/introspection.ts';
import { CLIENT_FAILURES_PER_MINUTE, limitFailures } from './oauth/limit-failures.ts';
import { createPrepareClient } from './oauth/prepare-clients.ts';
import { createProvider } from './oauth/provider.ts';
import { describeRefreshToken } from './oauth/refresh-token-description.ts';
import { rememberClients } from './oauth/remember-clients.ts';
import { revocationEndpoint } from './oauth/revocation.ts';
import { createSessions } from './oauth/sessions.ts';
import { tokenTransaction } from './oauth/token-endpoint.ts';
import { userinfoEndpoint } from './oauth/userinfo.ts';
import { invitationRoutes } from './organizations/invitation-routes.ts';
import { grantableRoles } from './organizations/role-rules.ts';
import { createAccessTokenJudge, createAccessTokenResolver } from './principals/access-token.ts';
import { createCredentialCache } from './principals/credential-cache.ts';
import { createProveKey } from './principals/dpop.ts';
import { createDpopNonces } from './principals/dpop-nonces.ts';
import { createResolve } from './principals/resolve.ts';
import { createPublishedKeys } from './secret-scanning/github.ts';
import { secretScanningRoutes } from './secret-scanning/routes.ts';
import type { Services } from './services.ts';

/**
 * The whole application: every middleware and every router, in the order in which a request meets them. What a
 * part needs is handed to it here.
 */
export function createApp(services: Services): Koa {
  const { config, logger, clock, sealer, transaction, audit, users, organizations, grants, records } =
    services;
  const { apiUrl, webUrl } = config;
  const secure = webUrl.startsWith('https:');
  const dpopNonceSecret = sealer.deriveKey('dpop-nonces');
  const cookieKeys = [sealer.deriveKey('cookies').toString('base64url')];

  const app = new Koa();
  app.keys = cookieKeys;
  prepareApp(app, config, logger);

  const csrf = createCsrf(sealer, webUrl);
  const renderPage = createPageRenderer({ views: createViews(), csrf, webUrl });

  const noteSeen = (uid: string, ip: string) => services.sessionUses.note(uid, { ip });
  const findAccount = async (id: string) => {
    const user = await users.find(id);
    if (!user || user.deactivatedAt) return undefined;
    return {
      id: user.id,
      email: user.email,
      name: user.name,
      emailConfirmed: user.emailConfirmedAt !== undefined,
    };
  };
  const feed = services.openChangeFeed();
  const { keyRing, tokenBases } = services;
  keyRing.follow(feed);
  const keys = keyRing.published;
  const judge = createAccessTokenJudge({ apiUrl, keys, standings: services.standings, clock });
  const planOf = async (id: string) => (await organizations.find(id))?.plan;
  const provider = createProvider({
    apiUrl,
    webUrl,
    keyRing,
    cookieKeys,
    dpopNonceSecret,
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
      apiKeysOutside({ apiUrl, apiKeys: services.apiKeys, keys: services.keys, planOf }),
    ],
    describeRefreshToken: async (token) =>
      describeRefreshToken(apiUrl, token, await grants.standingOf(token.grantId)),
    ownerOfGrant: grants.standingOf,
    endFamily: services.endFamily,
    noteSecretUse: (secretId) => services.secretUses.note(secretId, {}),
    transaction,
    sessionStore: services.sessionStore,
    noteSeen,
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
  const clients = rememberClients(provider, feed, {
    lifetimeSeconds: config.credentialCacheSeconds,
    maxEntries: 20_000,
  });
  services.onAppChange(clients.forget);
  const sessions = createSessions(provider, { secure, store: services.sessionStore, noteSeen });

  const recipientLimit = services.createAttemptLimit({
    name: 'mail-recipient',
    attempts: 5,
    windowSeconds: 3600,
  });
  const accounts = createAccounts({
    webUrl,
    users,
    createOrganization: async (organization) => {
      await services.createOrganization(organization);
    },
    endSessionsOf: services.sessionStore.endAll,
    endGrants: services.endGrants,
    transaction,
    audit,
    sendMail: services.sendMail,
    recipientLimit,
    inBackground: services.background.run,
  });
  const profile = createProfile({
    webUrl,
    users,
    endSessionsOf: services.sessionStore.endAll,
    endGrants: services.endGrants,
    transaction,
    audit,
    sendMail: services.sendMail,
    recipientLimit,
    passwordLimit: services.createAttemptLimit({
      name: 'password-change',
      attempts: 10,
      windowSeconds: 900,
    }),
    inBackground: services.background.run,
  });
  const passkeys = createPasskeys({ webUrl, store: services.secondFactorStore, sealer, clock });
  const secondFactors = createSecondFactors({
    store: services.secondFactorStore,
    passkeys,
    endSessionsOf: services.sessionStore.endAll,
    sealer,
    createLimit: services.createAttemptLimit,
    transaction,
    audit,
    sendMail: services.sendMail,
    inBackground: services.background.run,
    clock,
  });
  const signedInPages = createSignedInPages({
    currentSession: sessions.current,
    findUser: users.find,
    clock,
  });
  const signIn = createSignIn({ users, createLimit: services.createAttemptLimit, networkOf });
  const signInForm = createSignInForm({
    renderPage,
    csrf,
    signIn,
    accounts,
    findUser: users.find,
    secondFactors,
    passkeys,
    passkeyLimit: services.createAttemptLimit({ name: 'passkey-network', attempts: 60, windowSeconds: 900 }),
    networkOf,
    sealer,
    clock,
    secure,
  });

  const routes = apiRoutes(services);
  const pages = new Router();
  pages.use(
    accountRoutes({
      apiUrl,
      accounts,
      signInForm,
      csrf,
      renderPage,
      sessions,
      findUser: users.find,
      organizationsOf: organizations.membershipsOf,
      mailLimit: services.createAttemptLimit({ name: 'mail-network', attempts: 20, windowSeconds: 3600 }),
      networkOf,
    }).routes(),
    profileRoutes({ pages: signedInPages, profile, signInForm, csrf, renderPage, sessions }).routes(),
    securityRoutes({
      pages: signedInPages,
      secondFactors,
      csrf,
      renderPage,
      restart: sessions.restart,
    }).routes(),
    sessionRoutes({
      pages: signedInPages,
      csrf,
      renderPage,
      listSessions: services.sessionStore.list,
      endSession: services.sessionStore.end,
      endSessionsOf: services.sessionStore.endAll,
      restart: sessions.restart,
      networkOf,
      transaction,
      audit,
    }).routes(),
    connectionRoutes({
      pages: signedInPages,
      csrf,
      renderPage,
      connectedAppsOf: (userId) => connectedAppsOf(services.connectedApps, userId),
      withdrawConsent: services.withdrawConsent,
      membershipsOf: organizations.membershipsOf,
      leave: (of, { ip }) => services.members.leave(of, ip),
    }).routes(),
    interactionRoutes({
      provider,
      csrf,
      renderPage,
      signInForm,
      secondFactorSetup,
      findAccount,
      membershipsOf: organizations.membershipsOf,
      grants,
      transaction,
      audit,
    }).routes(),
    invitationRoutes({
      members: services.members,
      csrf,
      renderPage,
      currentSession: sessions.current,
      findAccount,
    }).routes(),
    consoleRoutes({
      apiUrl,
      webUrl,
      secure,
      routes,
      csrf,
      renderPage,
      clock,
      currentSession: sessions.current,
      findAccount,
      membershipsOf: organizations.membershipsOf,
      namesOf: services.namesOf,
      grantableRoles,
      sealer,
      requestToken: createTokenRequest({ apiUrl, handle: (req, res) => void app.callback()(req, res) }),
      removeMember: services.members.remove,
      createOrganization: services.createOrganization,
      createLimit: services.createAttemptLimit({
        name: 'organizations',
        attempts: 10,
        windowSeconds: 86_400,
      }),
      requireRecentSignIn: signedInPages.requireRecentSignIn,
      secondFactorSetup,
      hasRecentSignIn: signedInPages.hasRecentSignIn,
      latestAlerts: async (visible) =>
        (await services.listAlerts(visible, { limit: 5, after: undefined })).map((alert) => ({
          ...describeAlert(alert),
          at: alert.createdAt.toISOString(),
        })),
    }).routes(),
    docsRoutes({ renderPage, apiUrl, webUrl }).routes(),
  );

  const memory = createCredentialCache(feed, {
    lifetimeSeconds: config.credentialCacheSeconds,
    maxEntries: 50_000,
  });
  const resolve = createResolve(
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

  app.use(requestContext({ logger, clock }));
  app.use(securityHeaders());
  app.use(
    renderErrors({
      apiUrl,
      webUrl,
      logger,
      renderPage: (ctx, problem) => {
        renderPage(ctx, 'error', problem, { status: problem.status });
        return ctx.body as string;
      },
    }),
  );
  app.use(checkRequest(config));
  app.use(httpsOnly(config));
  app.use(healthRoutes({ ping: services.database.ping, limits: services.limitsHealth }));
  app.use(places());
  app.use(
    createApiRoutes(routes, {
      resolve,
      limits: createCallLimits({
        limiter: services.limiter,
        failures: services.createAttemptLimit({
          name: 'failed-authentication',
          attempts: FAILURES_PER_MINUTE,
          windowSeconds: 60,
        }),
        failuresPerMinute: FAILURES_PER_MINUTE,
        networkOf,
        clock,
      }),
      meter: (call) => {
        const { route, principal, status, ip } = call;
        services.metrics.countCall({
          route: `${route.method} ${route.path}`,
          status,
          method: principal?.method,
        });
        if (principal?.method === 'api_key') services.keyUses.note(principal.id, { ip });
        if (principal?.userId && principal.clientId) {
          const { userId, clientId, organizationId } = principal;
          services.grantUses.note(grantUseId({ userId, appId: clientId, organizationId }), {});
        }
        services.usageMeter.count(call);
      },
    }),
  );
  app.use(serveAssets(loadAssets()));
  app.use(pages.routes());
  app.use(
    userinfoEndpoint({
      authenticate: (ctx, formToken) => authenticate(ctx, resolve, formToken),
      findAccount,
    }),
  );
  app.use(
    registrationEndpoint({
      apiUrl,
      mode: config.registration,
      registration: services.selfRegistration,
      isInitialAccessToken: records.isInitialAccessToken,
      limit: services.createAttemptLimit({ name: 'registration', attempts: 20, windowSeconds: 3600 }),
      networkOf,
    }),
  );
  const guessing = { createLimit: services.createAttemptLimit, networkOf };
  app.use(
    secretScanningRoutes({
      keys: config.secretScanningKeysUrl
        ? createPublishedKeys({
            url: config.secretScanningKeysUrl,
            safeFetch: services.safeFetch,
            clock,
          })
        : undefined,
      reportLeak: services.reportLeak,
    }).routes(),
  );
  app.use(
    oauthEndpoints({
      provider,
      webUrl,
      jwks: { publish: keys, maxAgeSeconds: config.jwksCacheSeconds },
      limitFailures: limitFailures({
        byNetwork: services.createAttemptLimit({
          name: 'client-authentication-network',
          attempts: CLIENT_FAILURES_PER_MINUTE,
          windowSeconds: 60,
        }),
        byClient: services.createAttemptLimit({
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
        readDocument: config.clientIdMetadataDocuments
          ? tellingWhy(services.readMetadataDocument)
          : undefined,
        limit: services.createAttemptLimit({ name: 'metadata-documents', attempts: 30, windowSeconds: 60 }),
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
    }),
  );
  return app;
}
