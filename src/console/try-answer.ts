import { APP_KINDS } from '../../config/app-kinds.ts';
import type { Pages } from '../../views/pages.ts';
import type { AppObject } from '../apps/routes.ts';
import type { TokenAnswer } from './token-request.ts';

/** What the token endpoint was asked as the app, and what it answered, for somebody to read. `base`: the path of the app's pages. Pure. */
export function tokenPage(
  apiUrl: string,
  base: string,
  app: AppObject,
  form: Record<string, string>,
  answer: TokenAnswer,
): Pages['console/try-token'] {
  const token = textOf(answer.body['access_token']);
  return {
    app: app.name,
    appUrl: base,
    againUrl: `${base}/try`,
    isService: app.kind === 'service',
    request: curlOf(apiUrl, app, form),
    status: answer.status,
    answer: JSON.stringify(shortened(answer.body), null, 2),
    token: token === undefined ? undefined : { value: token, ...decode(token) },
    curl: token === undefined ? undefined : `curl ${apiUrl}/v1/me \\\n  -H "Authorization: Bearer $TOKEN"`,
  };
}

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
