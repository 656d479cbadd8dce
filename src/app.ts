import Router from '@koa/router';
import Koa from 'koa';
import { createViews, loadAssets } from '../views/views.ts';
import { secondFactorSetup } from './accounts/signed-in-pages.ts';
import { apiRoutes } from './api-routes.ts';
import { registrationEndpoint } from './apps/registration-routes.ts';
import { createTokenRequest } from './console/token-request.ts';
import { docsRoutes } from './docs/routes.ts';
import { settleHeaders } from './http/answer.ts';
import { serveAssets } from './http/assets.ts';
import { authenticate } from './http/authenticate.ts';
import { createCsrf } from './http/csrf.ts';
import { healthRoutes } from './http/health.ts';
import { httpsOnly } from './http/https-only.ts';
import { createPageRenderer } from './http/page.ts';
import { ofWeb, places } from './http/places.ts';
import { renderErrors } from './http/problem.ts';
import { createCallLimits, FAILURES_PER_MINUTE } from './http/rate-limit.ts';
import { checkRequest, prepareApp, requestContext } from './http/request.ts';
import { createApiRoutes } from './http/router.ts';
import { networkOf } from './kernel/network-of.ts';
import { createFindAccount } from './oauth/account.ts';
import { interactionRoutes } from './oauth/interactions.ts';
import { createSessions } from './oauth/sessions.ts';
import { userinfoEndpoint } from './oauth/userinfo.ts';
import { invitationRoutes } from './organizations/invitation-routes.ts';
import { createAccessTokenJudge } from './principals/access-token.ts';
import { createPublishedKeys } from './secret-scanning/github.ts';
import { secretScanningRoutes } from './secret-scanning/routes.ts';
import type { Services } from './services.ts';
import { accountPages } from './wiring/account-pages.ts';
import { wireAccounts } from './wiring/accounts.ts';
import { consolePages } from './wiring/console.ts';
import { wireMeter } from './wiring/meter.ts';
import { wireOAuthEndpoints } from './wiring/oauth-endpoints.ts';
import { wireProvider } from './wiring/provider.ts';
import { wireResolve } from './wiring/resolve.ts';

/**
 * The whole application: every middleware and every router, in the order in which a request meets them. What a
 * part needs is handed to it here, and in wiring/ where that is long.
 */
export function createApp(services: Services): Koa {
  const { config, logger, clock, sealer, organizations, records, transaction, audit } = services;
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
  const findAccount = createFindAccount(services.users);

  const feed = services.openChangeFeed();
  services.keyRing.follow(feed);
  const keys = services.keyRing.published;
  const judge = createAccessTokenJudge({ apiUrl, keys, standings: services.standings, clock });
  const provider = wireProvider(services, {
    cookieKeys,
    dpopNonceSecret,
    feed,
    judge,
    findAccount,
    noteSeen,
    renderPage,
  });
  const sessions = createSessions(provider, { secure, store: services.sessionStore, noteSeen });
  const pageParts = { csrf, renderPage, sessions };
  const people = wireAccounts(services, { ...pageParts, secure });
  const resolve = wireResolve(services, { feed, judge, dpopNonceSecret });

  const routes = apiRoutes(services);
  const account = accountPages(services, { ...pageParts, ...people });
  const pages = new Router();
  pages.use(
    account.signIn.routes(),
    account.mailedLinks.routes(),
    account.profile.routes(),
    account.security.routes(),
    account.passkeys.routes(),
    account.sessions.routes(),
    account.connections.routes(),
    interactionRoutes({
      provider,
      csrf,
      renderPage,
      signInForm: people.signInForm,
      secondFactorSetup,
      findAccount,
      membershipsOf: organizations.membershipsOf,
      grants: services.grants,
      transaction,
      audit,
    }).routes(),
    invitationRoutes({
      invitations: services.manageInvitations,
      csrf,
      renderPage,
      currentSession: sessions.current,
      findAccount,
    }).routes(),
    consolePages(services, {
      ...pageParts,
      signedInPages: people.signedInPages,
      secure,
      routes,
      findAccount,
      requestToken: createTokenRequest({ apiUrl, handle: (req, res) => void app.callback()(req, res) }),
    }).routes(),
    docsRoutes({ renderPage, apiUrl, webUrl }).routes(),
  );

  app.use(requestContext({ logger, clock }));
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
  app.use(
    healthRoutes({
      ping: services.database.ping,
      limits: services.limitsHealth,
      isStopping: () => services.stopping.signal.aborted,
    }),
  );
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
      meter: wireMeter(services),
    }),
  );
  app.use((ctx, next) => {
    settleHeaders(ctx); // the OAuth library, and consent, add to the policy that they find
    return next();
  });
  app.use(serveAssets(loadAssets()));
  app.use(ofWeb(pages));
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
  app.use(wireOAuthEndpoints(services, { provider, sessions }));
  return app;
}
