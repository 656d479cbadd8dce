import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { postToken, type Site, startSite } from '../support/site.ts';

describe('Failed client authentication', () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite({ TRUSTED_PROXIES: '127.0.0.1' });
  }, 60_000);
  afterAll(() => site?.stop());

  const from = (address: string, secret?: string, clientId?: string) => {
    const { service } = site.made.apps;
    return postToken(
      site,
      {
        grant_type: 'client_credentials',
        client_id: clientId ?? service.clientId,
        client_secret: secret ?? service.clientSecret,
        scope: 'prompts:read',
      },
      { 'X-Forwarded-For': address },
    );
  };
  const statuses = async (answers: Promise<Response>[]) =>
    (await Promise.all(answers)).map(({ status }) => status);
  const times = (count: number, send: (i: number) => Promise<Response>) =>
    Array.from({ length: count }, (_, i) => send(i));

  test('of one address is limited to 60 a minute, an IPv6 address by its /64; the right secret still passes', async () => {
    const addresses = (i: number) => `2001:db8:1:2::${i.toString(16)}`;
    const failed = await statuses(times(70, (i) => from(addresses(i), 'wrong', `app_${i}`)));
    expect(failed.filter((status) => status === 401)).toHaveLength(60);
    expect(failed.filter((status) => status === 429)).toHaveLength(10);
    expect((await from(addresses(99))).status).toBe(200);
    expect((await from('2001:db8:1:3::1', 'wrong', 'app_x')).status).toBe(401);
  });

  test('of one client is limited from wherever it comes, and locks the client out nowhere', async () => {
    const failed = await statuses(times(70, (i) => from(`192.0.2.${i}`, 'wrong')));
    expect(failed.filter((status) => status === 401)).toHaveLength(60);
    expect((await from('192.0.2.200')).status).toBe(200);
    const refused = await from('192.0.2.201', 'wrong');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('cache-control')).toBe('no-store');
    expect(refused.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await refused.json()).toMatchObject({ error: 'temporarily_unavailable' });
  });
});
