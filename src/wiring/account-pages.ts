import { connectionRoutes } from '../accounts/connection-routes.ts';
import { mailedLinkRoutes } from '../accounts/mailed-link-routes.ts';
import { passkeyRoutes } from '../accounts/passkey-routes.ts';
import { profileRoutes } from '../accounts/profile-routes.ts';
import { accountRoutes } from '../accounts/routes.ts';
import { securityRoutes } from '../accounts/security-routes.ts';
import { sessionRoutes } from '../accounts/session-routes.ts';
import { networkOf } from '../kernel/network-of.ts';
import { connectedAppsOf } from '../oauth/connected-apps.ts';
import type { Services } from '../services.ts';
import type { PageParts, wireAccounts } from './accounts.ts';

type Parts = PageParts & ReturnType<typeof wireAccounts>;

/** The pages of a person's account. */
export function accountPages(services: Services, parts: Parts) {
  const { transaction, audit, users, organizations, sessionStore, createAttemptLimit } = services;
  const { csrf, renderPage, sessions, accounts, signInForm, signedInPages: pages } = parts;
  const security = {
    pages,
    secondFactors: parts.secondFactors,
    csrf,
    renderPage,
    restart: sessions.restart,
  };
  return {
    signIn: accountRoutes({
      apiUrl: services.config.apiUrl,
      signInForm,
      csrf,
      renderPage,
      sessions,
      findUser: users.find,
      organizationsOf: organizations.membershipsOf,
    }),
    mailedLinks: mailedLinkRoutes({
      accounts,
      csrf,
      renderPage,
      mailLimit: createAttemptLimit({ name: 'mail-network', attempts: 20, windowSeconds: 3600 }),
      networkOf,
    }),
    profile: profileRoutes({ pages, profile: parts.profile, signInForm, csrf, renderPage, sessions }),
    security: securityRoutes(security),
    passkeys: passkeyRoutes(security),
    sessions: sessionRoutes({
      pages,
      csrf,
      renderPage,
      listSessions: sessionStore.list,
      endSession: sessionStore.end,
      endSessionsOf: sessionStore.endAll,
      restart: sessions.restart,
      networkOf,
      transaction,
      audit,
    }),
    connections: connectionRoutes({
      pages,
      csrf,
      renderPage,
      connectedAppsOf: (userId) => connectedAppsOf(services.connectedApps, userId),
      withdrawConsent: services.withdrawConsent,
      membershipsOf: organizations.membershipsOf,
      leave: (of, { ip }) => services.members.leave(of, ip),
    }),
  };
}
