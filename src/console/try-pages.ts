import { APP_KINDS } from '../../config/app-kinds.ts';
import type { AppObject } from '../apps/routes.ts';
import { seeOther } from '../http/page.ts';
import type { Clock } from '../kernel/clock.ts';
import { attempt, type Faults } from './faults.ts';
import { findApp } from './find-app.ts';
import { scopeGroups } from './scope-choice.ts';
import type { RequestToken, TokenAnswer } from './token-request.ts';
import { newPkce, newState, type TryStates } from './try-state.ts';
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

  const showAnswer = (visit: Visit, app: AppObject, form: Record<string, string>, answer: TokenAnswer) => {
    const token = textOf(answer.body['access_token']);
    const base = visit.url(`/apps/${app.id}`);
    visit.render('console/try-token', {
      app: app.name,
      appUrl: base,
      againUrl: `${base}/try`,
      isService: app.kind === 'service',
      request: curlOf(apiUrl, app, form),
      status: answer.status,
      answer: JSON.stringify(shortened(answer.body), null, 2),
      token: token === undefined ? undefined : { value: token, ...decode(token) },
      curl: token === undefined ? undefined : `curl ${apiUrl}/v1/me \\\n  -H "Authorization: Bearer $TOKEN"`,
    });
  };

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
    {
      method: 'POST',
      path: '/apps/:id/try',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit, form) => {
        const app = await findApp(visit);
        const scope = form.all('scope').join(' ');
        if (scope === '') return show(visit, app, nothingTicked());
        const { verifier, challenge } = newPkce();
        const state = newState();
        tryStates.keep(visit.ctx, {
          appId: app.id,
          appPath: visit.url(`/apps/${app.id}`),
          state,
          verifier,
          scope,
        });
        const query = new URLSearchParams({
          response_type: 'code',
          client_id: app.id,
          redirect_uri: redirectUri,
          scope,
          state,
          code_challenge: challenge,
          code_challenge_method: 'S256',
        });
        seeOther(visit.ctx, `${webUrl}/oauth/authorize?${query.toString()}`);
      },
    },
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
          sent: [
            { name: 'response_type', value: 'code' },
            { name: 'client_id', value: app.id },
            { name: 'redirect_uri', value: redirectUri },
            { name: 'scope', value: begun?.scope ?? '' },
            { name: 'state', value: begun?.state ?? '' },
            { name: 'code_challenge_method', value: 'S256' },
          ].filter(({ value }) => value !== ''),
          came: ['code', 'state', 'iss', 'error', 'error_description']
            .map((name) => ({ name, value: queryOf(visit, name) }))
            .filter(({ value }) => value !== ''),
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
        const { done, faults } = await attempt([], () => asApp(visit, app, asked));
        if (faults) return show(visit, app, faults);
        tryStates.forget(visit.ctx);
        showAnswer(visit, app, asked, done);
      },
    },
    {
      method: 'POST',
      path: '/apps/:id/try/token',
      scope: 'organization:admin',
      recent: true,
      handle: async (visit, form) => {
        const app = await findApp(visit);
        const scope = form.all('scope').join(' ');
        if (scope === '') return show(visit, app, nothingTicked());
        const asked = { grant_type: 'client_credentials', scope };
        const { done, faults } = await attempt([], () => asApp(visit, app, asked));
        if (faults) return show(visit, app, faults);
        showAnswer(visit, app, asked, done);
      },
    },
  ];
}

const nothingTicked = (): Faults => ({
  status: 422,
  notice: undefined,
  fields: { scopes: 'Tick at least one.' },
});

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The answer as it came, but for secrets beyond the access token, which stands below. */
const shortened = (body: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      name.endsWith('_token') && typeof value === 'string' ? `${value.slice(0, 12)}…` : value,
    ]),
  );

/** What a JWT says, laid out. Does NOT verify it: it comes from our own token endpoint. */
function decode(jwt: string): { header: string; claims: string } {
  const [header = '', claims = ''] = jwt.split('.').map(laidOut);
  return { header, claims };
}

function laidOut(part: string): string {
  try {
    return JSON.stringify(JSON.parse(Buffer.from(part, 'base64url').toString()), null, 2);
  } catch {
    return '';
  }
}

function curlOf(apiUrl: string, app: AppObject, form: Record<string, string>): string {
  const fields = {
    ...form,
    client_id: app.id,
    ...(APP_KINDS[app.kind].confidential ? { client_secret: '…' } : {}),
  };
  return [
    `curl -X POST ${apiUrl}/oauth/token`,
    ...Object.entries(fields).map(([name, value]) => `  -d ${name}="${value}"`),
  ].join(' \\\n');
}
