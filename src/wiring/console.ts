import type Router from '@koa/router';
import { type SignedInPages, secondFactorSetup } from '../accounts/signed-in-pages.ts';
import { describeAlert } from '../alerts/describe.ts';
import { consoleRoutes } from '../console/routes.ts';
import type { RequestToken } from '../console/token-request.ts';
import type { Route } from '../http/route.ts';
import type { FindAccount } from '../oauth/account.ts';
import { grantableRoles } from '../organizations/role-rules.ts';
import type { Services } from '../services.ts';
import type { PageParts } from './accounts.ts';

export type ConsoleParts = PageParts & {
  routes: readonly Route[];
  secure: boolean;
  findAccount: FindAccount;
  signedInPages: SignedInPages;
  /** Asks the whole application, this console with it. */
  requestToken: RequestToken;
};

/** The developer console. */
export function consolePages(services: Services, parts: ConsoleParts): Router {
  const { config, clock, sealer, organizations } = services;
  const { apiUrl, webUrl } = config;
  return consoleRoutes({
    apiUrl,
    webUrl,
    secure: parts.secure,
    routes: parts.routes,
    csrf: parts.csrf,
    renderPage: parts.renderPage,
    clock,
    currentSession: parts.sessions.current,
    findAccount: parts.findAccount,
    membershipsOf: organizations.membershipsOf,
    namesOf: services.namesOf,
    grantableRoles,
    sealer,
    requestToken: parts.requestToken,
    removeMember: services.members.remove,
    createOrganization: services.createOrganization,
    createLimit: services.createAttemptLimit({
      name: 'organizations',
      attempts: 10,
      windowSeconds: 86_400,
    }),
    requireRecentSignIn: parts.signedInPages.requireRecentSignIn,
    secondFactorSetup,
    hasRecentSignIn: parts.signedInPages.hasRecentSignIn,
    callers: services.callers,
    latestAlerts: async (visible) =>
      (await services.listAlerts(visible, { limit: 5, after: undefined })).map((alert) => ({
        ...describeAlert(alert),
        at: alert.createdAt.toISOString(),
      })),
  });
}
