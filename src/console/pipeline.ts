import Router from '@koa/router';
import type { Context } from 'koa';
import { ENVIRONMENTS, type Environment } from '../../config/environments.ts';
import { grantableScopes, type Role } from '../../config/roles.ts';
import type { Csrf } from '../http/csrf.ts';
import { type RenderPage, seeOther } from '../http/page.ts';
import { withReturnTo } from '../http/return-to.ts';
import { type Route, requireScope } from '../http/route.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import { isId } from '../kernel/ids.ts';
import type { Principal } from '../principals/principal.ts';
import { createCalls } from './calls.ts';
import { frameOf, type Membership, placeIn } from './frame.ts';
import type { ConsolePage, Person, Visit } from './visit.ts';

/** Where people prove again who they are. */
const PROOF_PATH = '/account/confirm';

export type PipelineDeps = {
  routes: readonly Route[];
  csrf: Csrf;
  renderPage: RenderPage;
  currentSession(ctx: Context): Promise<{ userId: string } | undefined>;
  /** Undefined when the person is gone or deactivated. */
  findAccount(id: string): Promise<Person | undefined>;
  membershipsOf(userId: string): Promise<Membership[]>;
  /** Remembers at the browser where in the console it was. */
  remember(ctx: Context, place: string): void;
  /** Undefined when it has sent the person to prove anew who they are, to come back to the page or, from a form, to `back`. */
  requireRecentSignIn(ctx: Context, back: string): Promise<object | undefined>;
  /** Where a person sets up the second factor that an organization requires, and then goes on to `returnTo`. */
  secondFactorSetup(returnTo: string): string;
  /** Whether they have proved it a moment ago; nobody is sent anywhere. */
  hasRecentSignIn(ctx: Context): Promise<boolean>;
};

/** Undefined after sending somebody who isn't signed in to do so. */
export async function signedIn(
  ctx: Context,
  deps: Pick<PipelineDeps, 'currentSession' | 'findAccount'>,
): Promise<Person | undefined> {
  const session = await deps.currentSession(ctx);
  const person = session && (await deps.findAccount(session.userId));
  if (!person) seeOther(ctx, withReturnTo('/login', ctx.method === 'POST' ? '/console' : ctx.url));
  return person;
}

/**
 * The way through the console, the same for every page: person, membership, scope, form, recent sign-in, handler. A page
 * declares what it needs; the order and the checks are here. An organization that one doesn't belong to is 404.
 */
export function consolePages(pages: readonly ConsolePage[], deps: PipelineDeps): Router {
  const router = new Router();
  const callsFor = createCalls(deps.routes);
  const shown = new Set(pages.filter(({ method }) => method === 'GET').map(({ path }) => path));

  const enter = async (ctx: Context): Promise<Visit | undefined> => {
    const person = await signedIn(ctx, deps);
    if (!person) return undefined;
    const memberships = await deps.membershipsOf(person.id);
    const membership = memberships.find(
      ({ organizationId }) => organizationId === ctx['params'].organizationId,
    );
    const environment = ENVIRONMENTS.find((one) => one === ctx['params'].environment);
    if (!membership || !environment) throw notFound();
    if (membership.lacksSecondFactor) {
      seeOther(ctx, deps.secondFactorSetup(ctx.method === 'GET' ? ctx.url : '/console'));
      return undefined;
    }
    deps.remember(ctx, placeIn(membership.organizationId, environment));
    return visitOf(ctx, person, memberships, membership, environment);
  };

  const visitOf = (
    ctx: Context,
    person: Person,
    memberships: readonly Membership[],
    { organizationId, organizationName, role }: Membership,
    environment: Environment,
  ): Visit => {
    const principal = principalOf(person, organizationId, role);
    return {
      ctx,
      person,
      organization: { id: organizationId, name: organizationName },
      environment,
      role,
      principal,
      may: (scope) => principal.scopes.includes(scope),
      url: (path) => `/console/${placeIn(organizationId, environment)}${path}`,
      call: callsFor({ principal, environment, ip: ctx.ip, requestId: ctx.state.requestId }),
      render: (page, data, options = {}) =>
        deps.renderPage(ctx, page, data, {
          ...(options.status === undefined ? {} : { status: options.status }),
          signedInAs: person,
          frame: {
            ...frameOf({ path: ctx.path, memberships, organizationId, environment }),
            ...(options.askProof ? { proofUrl: withReturnTo(PROOF_PATH, '/console') } : {}),
          },
        }),
    };
  };

  for (const page of pages) {
    const path = `/console/:organizationId/:environment${page.path}`;
    router.register(path, [page.method], async (ctx) => {
      if (!isId('org', ctx['params'].organizationId)) throw notFound();
      const visit = await enter(ctx);
      if (!visit) return;
      requireScope(visit.principal, page);
      const back = shown.has(page.path) ? ctx.path : ctx.path.replace(/\/[^/]+$/, '');
      if (page.method === 'GET') {
        if (page.recent && !(await deps.requireRecentSignIn(ctx, back))) return;
        return page.handle(visit);
      }
      const form = await deps.csrf.readForm(ctx);
      if (page.recent === 'keep') {
        return page.handle((await deps.hasRecentSignIn(ctx)) ? visit : unproved(visit), form);
      }
      if (page.recent && !(await deps.requireRecentSignIn(ctx, back))) return;
      return page.handle(visit, form);
    });
  }
  return router;
}

/** For who has to prove first who they are: nothing is changed, and every form comes back as it was sent. */
const unproved = (visit: Visit): Visit => ({
  ...visit,
  call: (name, given) =>
    name.startsWith('GET ')
      ? visit.call(name, given)
      : Promise.reject(new AppError('forbidden', 'Nothing was changed yet.')),
  render: (page, data, options) => visit.render(page, data, { ...options, askProof: true }),
});

/**
 * A person at our own pages, as the API knows people: what their role may give is what they may do, and the audit log
 * names them.
 */
const principalOf = ({ id }: Person, organizationId: string, role: Role): Principal => ({
  method: 'oauth_user',
  id,
  userId: id,
  organizationId,
  environment: 'live',
  scopes: grantableScopes(role),
});
