import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { csrfOf } from '../accounts/support.ts';
import { type Console, startConsole } from '../console/support.ts';

/** Forms of the OAuth library's own pages (device, logout) are tied to its session: see rfc8628-device and oidc-logout. */
describe('CSRF: every form of ours, found by walking the routes', () => {
  let site: Console;
  let token: string;

  beforeAll(async () => {
    site = await startConsole();
    token = csrfOf(await site.owner.open(site.path('/keys/new')));
  }, 60_000);
  afterAll(() => site?.close());

  const filled = (path: string): string =>
    path
      .replace(':organizationId', site.made.organization.id)
      .replace(':environment', 'live')
      .replace(/:\w+/g, 'x');

  const post = async (path: string, headers: Record<string, string>, form: Record<string, string>) => {
    const response = await fetch(site.url + filled(path), {
      method: 'POST',
      redirect: 'manual',
      headers: { Accept: 'text/html', Cookie: await site.owner.jar.getCookieString(site.url), ...headers },
      body: new URLSearchParams(form),
    });
    await response.body?.cancel();
    return `${path} ${response.status}`;
  };
  /** A step of an authorization is looked for before its form is read: there is none here. */
  const refusal = (path: string): string => `${path} ${path === '/oauth/interaction/:uid/login' ? 400 : 403}`;

  test('there are many, of each area', () => {
    expect(site.forms.length).toBeGreaterThan(40);
    for (const path of [
      '/login',
      '/logout',
      '/signup',
      '/account/name',
      '/account/security/totp',
      '/oauth/interaction/:uid/consent',
    ]) {
      expect(site.forms).toContain(path);
    }
    expect(site.forms.filter((path) => path.startsWith('/console/')).length).toBeGreaterThan(15);
  });

  test.each<[string, Record<string, string>, () => Record<string, string>]>([
    ['no token', {}, () => ({})],
    ['a token of another browser', {}, () => ({ _csrf: Buffer.alloc(32, 7).toString('base64url') })],
    ['another site as its origin', { Origin: 'https://evil.example' }, () => ({ _csrf: token })],
    ['no origin to tell', { Origin: 'null' }, () => ({ _csrf: token })],
    ['another site that sent it', { 'Sec-Fetch-Site': 'cross-site' }, () => ({ _csrf: token })],
    ['a sibling site that sent it', { 'Sec-Fetch-Site': 'same-site' }, () => ({ _csrf: token })],
  ])(
    'is refused with %s',
    async (_, headers, form) => {
      const answers: string[] = [];
      for (const path of site.forms) answers.push(await post(path, headers, form()));
      expect(answers).toEqual(site.forms.map(refusal));
    },
    60_000,
  );
});
