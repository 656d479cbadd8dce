import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { atApp, CALLBACK, SECOND_CALLBACK, startWorld, type Visit, type World } from './world.ts';

/** OpenID Foundation, OpenID Connect Core: of the Dynamic profile, which we don't aim at, what redirect URIs must keep to. */
describe('oidcc-dynamic-certification-test-plan (redirect URIs)', () => {
  let world: World;
  let rp: client.Configuration;

  beforeAll(async () => {
    world = await startWorld();
    rp = await world.configure(world.apps.basic);
  }, 60_000);
  afterAll(() => world?.stop());

  const visit = (params: Record<string, string>) =>
    world.visit(client.buildAuthorizationUrl(rp, { scope: 'openid', state: 'the-state', ...params }));
  const expectStopped = ({ callback, status }: Visit) =>
    expect({ callback, status }).toEqual({ callback: undefined, status: 400 });

  test('oidcc-redirect-uri-query-OK', async () => {
    const callback = atApp(await visit({ redirect_uri: SECOND_CALLBACK }));
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({ dummy1: 'lorem', dummy2: 'ipsum' });
    expect(callback.searchParams.get('code')).toBeTruthy();
  });

  test('oidcc-redirect-uri-query-added', async () => {
    expectStopped(await visit({ redirect_uri: `${CALLBACK}?dummy1=lorem` }));
  });

  test('oidcc-redirect-uri-query-mismatch', async () => {
    expectStopped(await visit({ redirect_uri: `${CALLBACK}?dummy1=lorem&dummy2=dolor` }));
  });

  test('oidcc-ensure-redirect-uri-in-authorization-request', async () => {
    const url = client.buildAuthorizationUrl(rp, { scope: 'openid', state: 'the-state' });
    url.searchParams.delete('redirect_uri');
    expectStopped(await world.visit(url));
  });

  test('oidcc-redirect-uri-regfrag', async () => {
    const metadata = { redirect_uris: [`${CALLBACK}#fragment`] };
    const answer = await fetch(`${world.issuer}/oauth/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(metadata),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: 'invalid_redirect_uri' });
  });
});
