import { type At, postToken, type TokenAnswer } from './site.ts';

/** Calls the API with a credential. `body` is sent as JSON; the answer is read as JSON, whatever its status, and {} without any. */
export async function callApi<Body = Record<string, unknown>>(
  { server }: At,
  credential: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Body }> {
  const response = await fetch(new URL(path, server.url), {
    method,
    headers: {
      Authorization: `Bearer ${credential}`,
      ...(body ? { 'Content-Type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  return { status: response.status, body: (text ? JSON.parse(text) : {}) as Body };
}

/** An access token of an app that acts for itself: every scope it may have, unless `scope` says which. */
export async function ownToken(
  at: At,
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
  scope?: string,
): Promise<string> {
  const response = await postToken(at, {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    ...(scope === undefined ? {} : { scope }),
  });
  if (response.status !== 200) throw new Error(await response.text());
  return ((await response.json()) as TokenAnswer).access_token;
}

/** `GET /v1/me` with the token. */
export async function me(at: At, token: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(new URL('/v1/me', at.server.url), {
    headers: { Authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
