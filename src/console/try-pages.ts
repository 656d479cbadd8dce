import { APP_KINDS } from '../../config/app-kinds.ts';
import type { AppObject } from '../apps/routes.ts';
import { seeOther } from '../http/page.ts';
import type { Clock } from '../kernel/clock.ts';
import { attempt, type Faults } from './faults.ts';
import { findApp } from './find-app.ts';
import { scopeGroups } from './scope-choice.ts';
import type { RequestToken, TokenAnswer } from './token-request.ts';
import { tokenPage } from './try-answer.ts';
import { newPkce, newState, type TryState, type TryStates } from './try-state.ts';
import { type ConsolePage, queryOf, type Visit } from './visit.ts';

/** Where every app that is tried is sent back to, once it is registered there. */
export const TRY_CALLBACK = '/console/try/callback';

/** Long enough for one request. */
const SECRET_SECONDS = 120;

export type TryPageDeps = {
  apiUrl: string;
  webUrl: string;
  clock: Clock;
  tryStates: TryStates;
  requestToken: RequestToken;
};

/**
 * "Try it": the console acts as the app. It sends the person through the real flow (RFC 6749 §4.1 with RFC 7636), or asks
 * for a service's own token (§4.4), and shows each step.
 */
export function tryPages(deps: TryPageDeps): ConsolePage[] {
  const { apiUrl, webUrl, clock, tryStates } = deps;
  const redirectUri = webUrl + TRY_CALLBACK;

  const show = (visit: Visit, app: AppObject, faults?: Faults) => {
    const base = visit.url(`/apps/${app.id}`);
    const isService = app.kind === 'service';
    const registered = isService || app.redirectUris.includes(redirectUri);
    visit.render(
      'console/try',
      {
        app: app.name,
        appUrl: base,
        isService,
        action: isService ? `${base}/try/token` : `${base}/try`,
        redirectUri,
        registerAction: registered ? undefined : `${base}/try/redirect-uri`,
        /** Only those that the app may ask for. */
        scopes: scopeGroups(app.scopes, visit.role)
          .map(({ of, ticks }) => ({ of, ticks: ticks.filter(({ checked }) => checked) }))
          .filter(({ ticks }) => ticks.length > 0),
        cannot:
          app.tokenEndpointAuthMethod === 'private_key_jwt'
            ? 'This app proves itself by keys that only it has: the console can show the way to the code, but can not redeem it.'
            : undefined,
        error: faults?.fields['scopes'],
        notice: faults?.notice,
      },
      faults ? { status: faults.status } : {},
    );
  };

  /** With a secret for this one request, which is deleted after it: the app's own are known to nobody here. */
  const asApp = async (visit: Visit, app: AppObject, form: Record<string, string>): Promise<TokenAnswer> => {
    const { ip } = visit.ctx;
    if (!APP_KINDS[app.kind].confidential) return deps.requestToken({ ...form, client_id: app.id }, ip);
    const expiresAt = new Date(clock().getTime() + SECRET_SECONDS * 1000).toISOString();
    const secret = await visit.call('POST /v1/apps/:id/secrets', {
      params: { id: app.id },
      body: { expiresAt },
    });
    try {
      return await deps.requestToken({ ...form, client_id: app.id, client_secret: secret.clientSecret }, ip);
    } finally {
      // The only one may not be deleted; it ends by itself.
      await attempt([], () =>
        visit.call('DELETE /v1/apps/:id/secrets/:secretId', {
          params: { id: app.id, secretId: secret.id },
        }),
      );
    }
  };

  /** Asks for a token as the app, and shows what was asked and answered. True once there is an answer. */
  const askAndShow = async (visit: Visit, app: AppObject, form: Record<string, string>): Promise<boolean> => {
    const { done, faults } = await attempt([], () => asApp(visit, app, form));
    if (faults) show(visit, app, faults);
    else visit.render('console/try-token', tokenPage(apiUrl, visit.url(`/apps/${app.id}`), app, form, done));
    return faults === undefined;
  };

  /** A form with the scopes that the app shall ask for. */
  const withScopes = (
    path: string,
    work: (visit: Visit, app: AppObject, scope: string) => unknown,
  ): ConsolePage => ({
    method: 'POST',
    path,
    scope: 'organization:admin',
    recent: true,
    handle: async (visit, form) => {
      const app = await findApp(visit);
      const scope = form.all('scope').join(' ');
      if (scope === '') return show(visit, app, NOTHING_TICKED);
      await work(visit, app, scope);
    },
  });

  /** What the app sends people with (RFC 6749 §4.1.1), but for the challenge. */
  const requestOf = (app: AppObject, { scope, state }: Pick<TryState, 'scope' | 'state'>) => ({
    response_type: 'code',
    client_id: app.id,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge_method: 'S256',
  });

  return [
    {
      method: 'GET',
      path: '/apps/:id/try',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => show(visit, await findApp(visit)),
    },
    {
      method: 'POST',
      path: '/apps/:id/try/redirect-uri',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit) => {
        const app = await findApp(visit);
        const { faults } = await attempt([], () =>
          visit.call('PATCH /v1/apps/:id', {
            params: { id: app.id },
            body: { redirectUris: [...new Set([...app.redirectUris, redirectUri])] },
          }),
        );
        if (faults) return show(visit, app, faults);
        seeOther(visit.ctx, visit.url(`/apps/${app.id}/try`));
      },
    },
    withScopes('/apps/:id/try', (visit, app, scope) => {
      const { verifier, challenge } = newPkce();
      const state = newState();
      const appPath = visit.url(`/apps/${app.id}`);
      tryStates.keep(visit.ctx, { appId: app.id, appPath, state, verifier, scope });
      const query = new URLSearchParams({
        ...requestOf(app, { scope, state }),
        code_challenge: challenge,
      });
      seeOther(visit.ctx, `${webUrl}/oauth/authorize?${query.toString()}`);
    }),
    {
      method: 'GET',
      path: '/apps/:id/try/result',
      scope: 'organization:admin',
      handle: async (visit) => {
        const app = await findApp(visit);
        const begun = tryStates.find(visit.ctx);
        const base = visit.url(`/apps/${app.id}`);
        const code = queryOf(visit, 'code');
        const ours = begun?.appId === app.id && begun.state === queryOf(visit, 'state');
        const fromUs = queryOf(visit, 'iss') === apiUrl; // RFC 9207 §2.4
        visit.render('console/try-code', {
          app: app.name,
          appUrl: base,
          againUrl: `${base}/try`,
          sent: named(requestOf(app, begun ?? { scope: '', state: '' })),
          came: named(
            Object.fromEntries(
              ['code', 'state', 'iss', 'error', 'error_description'].map((name) => [
                name,
                queryOf(visit, name),
              ]),
            ),
          ),
          checks: [
            { label: 'state is the one that was sent from this browser', good: ours },
            { label: 'iss is the server that was asked', good: fromUs },
          ],
          exchange: code !== '' && ours && fromUs ? { action: `${base}/try/exchange`, code } : undefined,
        });
      },
    },
    {
      method: 'POST',
      path: '/apps/:id/try/exchange',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit, form) => {
        const app = await findApp(visit);
        const begun = tryStates.find(visit.ctx);
        if (begun?.appId !== app.id) return seeOther(visit.ctx, visit.url(`/apps/${app.id}/try`));
        const asked = {
          grant_type: 'authorization_code',
          code: form.get('code'),
          redirect_uri: redirectUri,
          code_verifier: begun.verifier,
        };
        if (await askAndShow(visit, app, asked)) tryStates.forget(visit.ctx);
      },
    },
    withScopes('/apps/:id/try/token', (visit, app, scope) =>
      askAndShow(visit, app, { grant_type: 'client_credentials', scope }),
    ),
  ];
}

const NOTHING_TICKED: Faults = {
  status: 422,
  notice: undefined,
  fields: { scopes: 'Tick at least one.' },
};

/** Those that were sent at all. */
const named = (parameters: Record<string, string>): { name: string; value: string }[] =>
  Object.entries(parameters)
    .map(([name, value]) => ({ name, value }))
    .filter(({ value }) => value !== '');
