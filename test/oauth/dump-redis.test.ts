import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { me } from '../support/api.ts';
import { createCanaries } from '../support/canaries.ts';
import { describeWith } from '../support/needs.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type Site, startSite } from '../support/site.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { credentialsOf, getTokens, refreshForm, tokenRequest } from './support.ts';

const { plant, findings, planted } = createCanaries();

describeWith('redis', 'Redis', () => {
  let redis: RedisServer;
  let site: Site;
  /** All that was said to it, and all that it holds at the end. */
  let said = '';
  let kept = '';

  beforeAll(async () => {
    redis = await startRedis();
    const client = new Redis(redis.url);
    const listening = await client.monitor();
    listening.on('monitor', (_time: string, args: string[]) => {
      said += `${args.join(' ')}\n`;
    });
    site = await startSite({ REDIS_URL: redis.url });
    await useAndMisuse();
    await site.stop();
    for (const key of await client.keys('*')) {
      const hash = (await client.type(key)) === 'hash';
      kept += `${key} ${JSON.stringify(hash ? await client.hgetall(key) : await client.get(key))}\n`;
    }
    client.disconnect();
    listening.disconnect();
  }, 60_000);
  afterAll(() => redis?.stop());

  async function useAndMisuse(): Promise<void> {
    const { made, server } = site;
    plant('the owner’s password', made.user.password);
    plant('the owner’s address', made.user.email);
    plant('a client secret', made.apps.web.clientSecret);
    plant('a live API key', made.apiKeys.live);
    plant('a test API key', made.apiKeys.test);
    const tokens = await getTokens(site);
    plant('an access token', tokens.access_token);
    plant('a refresh token', tokens.refresh_token);
    for (const credential of [made.apiKeys.live, made.apiKeys.test, tokens.access_token]) {
      expect((await me(site, credential)).status).toBe(200);
    }
    await me(site, plant('a key that was never issued', `pr_live_${'a'.repeat(36)}`));
    const wrong = plant('a wrong client secret', `secret_${'b'.repeat(36)}`);
    for (const clientId of [made.apps.web.clientId, wrong]) {
      const client = { ...credentialsOf(made.apps.web), client_id: clientId, client_secret: wrong };
      await tokenRequest(site, { grant_type: 'client_credentials', ...client });
    }
    await tokenRequest(site, refreshForm(made.apps.web, tokens.refresh_token));
    const agent = createUserAgent(server.url);
    const mistyped = plant('a password in the field of the address', 'correct horse battery staple');
    await agent.submit(await agent.open('/login'), { email: mistyped, password: mistyped }, '/login');
    await agent.submit(await agent.open('/login'), { email: made.user.email, password: mistyped }, '/login');
    await agent.submit(await agent.open('/forgot-password'), { email: made.user.email });
    await site.userAgent.submit(
      await site.userAgent.open('/oauth/device'),
      { user_code: plant('a code of a device', 'BCDF-GHJK-LMNP') },
      '/device',
    );
  }

  test('was asked, of each kind of limit', () => {
    expect(planted.size).toBe(11);
    for (const name of [
      'limits:',
      'attempts:login-pair',
      'attempts:client-authentication',
      'attempts:failed-authentication',
      'attempts:user-code',
      'attempts:mail-recipient',
    ]) {
      expect(said).toContain(name);
    }
    expect(kept).toContain('limits:');
  });

  test('is told no credential, no address of a person, and nothing that was typed into the wrong field', () => {
    expect(findings(said)).toEqual([]);
    expect(said).not.toContain('127.0.0.1');
  });

  test('holds none', () => {
    expect(findings(kept)).toEqual([]);
  });
});
