import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeFlow, postToken, type Site, startSite, type TokenAnswer } from '../support/site.ts';

const GRACE_SECONDS = 8; // far above what twenty requests take on a busy machine

describe('A refresh token that comes again', () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite({ REFRESH_GRACE_SECONDS: String(GRACE_SECONDS) });
  }, 60_000);

  afterAll(() => site.stop());

  const refresh = async (token: string) => {
    const { web } = site.made.apps;
    const response = await postToken(site, {
      grant_type: 'refresh_token',
      client_id: web.clientId,
      client_secret: web.clientSecret,
      refresh_token: token,
    });
    return { status: response.status, body: (await response.json()) as TokenAnswer & { error?: string } };
  };

  test('gets the same new pair within the grace, one after the other or at once, and never a second child', async () => {
    const { refresh_token: first = '' } = await codeFlow(site);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(first)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(1);
    expect((await refresh(first)).body).toEqual(answers[0]?.body);

    const next = await refresh(answers[0]?.body.refresh_token ?? '');
    expect(next.status).toBe(200);
  }, 30_000);

  test('is a replay after the grace: the family ends, the newest token and the access tokens too', async () => {
    const { refresh_token: first = '' } = await codeFlow(site);
    const second = await refresh(first);
    expect(second.status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, GRACE_SECONDS * 1000 + 300));
    expect(await refresh(first)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await refresh(second.body.refresh_token ?? '')).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    const me = await fetch(new URL('/v1/me', site.server.url), {
      headers: { Authorization: `Bearer ${second.body.access_token}` },
    });
    expect(me.status).toBe(401);
    expect(await me.json()).toMatchObject({ code: 'credential_revoked' });
  }, 30_000);

  test('is refused to another client, which ends nothing', async () => {
    const { refresh_token: first = '' } = await codeFlow(site);
    const second = await refresh(first);
    const stranger = await postToken(site, {
      grant_type: 'refresh_token',
      client_id: site.made.apps.spa.clientId,
      refresh_token: first,
    });
    expect(stranger.status).toBe(400);
    expect((await refresh(second.body.refresh_token ?? '')).status).toBe(200);
  }, 30_000);
});
