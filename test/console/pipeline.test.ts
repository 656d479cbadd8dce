import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROLES } from '../../config/roles.ts';
import { bootstrap } from '../../src/bootstrap.ts';
import { pagesOf } from '../../src/console/routes.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { newId } from '../../src/kernel/ids.ts';
import { csrfOf, newcomer } from '../accounts/support.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { type Console, startConsole, textOf } from './support.ts';

const pages = pagesOf({
  apiUrl: 'http://api',
  webUrl: 'http://web',
  clock: systemClock,
  namesOf: async () => () => undefined,
  grantableRoles: () => [],
  removeMember: async () => {},
  latestAlerts: async () => [],
  callers: { of: async () => [] },
  tryStates: { keep: () => {}, find: () => undefined, forget: () => {} },
  requestToken: async () => ({ status: 400, body: {} }),
});
const someIds: Record<string, string> = {
  id: newId('key'),
  secretId: newId('sec'),
  deliveryId: newId('dlv'),
};
const filled = (path: string): string => path.replace(/:(\w+)/g, (_, name: string) => someIds[name] ?? 'x');

describe('Every page of the console', () => {
  let console_: Console;
  let viewer: UserAgent;

  beforeAll(async () => {
    console_ = await startConsole();
    viewer = await console_.join('viewer');
  });
  afterAll(() => console_?.close());

  const post = async (agent: UserAgent, path: string, headers: Record<string, string> = {}, token = '') =>
    fetch(console_.url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: await agent.jar.getCookieString(console_.url), ...headers },
      body: new URLSearchParams({ _csrf: token }),
    });

  test.each(pages.filter(({ method }) => method === 'GET'))(
    'GET $path sends who is not signed in to do so, and back',
    async ({ path }) => {
      const url = console_.path(filled(path));
      const answer = await fetch(console_.url + url, { redirect: 'manual' });
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toBe(`/login?${new URLSearchParams({ returnTo: url })}`);
    },
  );

  test.each(pages.filter(({ method }) => method === 'POST'))(
    'POST $path is refused without the form’s token, and from another site',
    async ({ path }) => {
      const url = console_.path(filled(path));
      expect((await post(console_.owner, url)).status).toBe(403);
      const token = csrfOf(await console_.owner.open(console_.path('/keys/new')));
      expect((await post(console_.owner, url, { origin: 'https://evil.example' }, token)).status).toBe(403);
      expect((await post(console_.owner, url, { 'sec-fetch-site': 'cross-site' }, token)).status).toBe(403);
    },
  );

  test.each(pages.filter(({ scope }) => !scope.endsWith(':read')))(
    '$method $path is refused to a viewer',
    async ({ method, path }) => {
      const url = console_.path(filled(path));
      const token = csrfOf(await viewer.open('/console/organizations/new'));
      const answer = method === 'GET' ? await viewer.open(url) : await post(viewer, url, {}, token);
      expect(answer.status).toBe(403);
    },
  );

  test.each(pages.filter(({ method }) => method === 'GET'))(
    'GET $path is not there for who does not belong to the organization',
    async ({ path }) => {
      const other = newId('org');
      expect((await console_.owner.open(`/console/${other}/live${filled(path)}`)).status).toBe(404);
      expect((await console_.owner.open(`/console/nothing/live${filled(path)}`)).status).toBe(404);
    },
  );

  test.each(ROLES)('nothing that a %s sees is a form or a link that they may not use', async (role) => {
    const agent = role === 'owner' ? console_.owner : await console_.join(role);
    for (const { method, path } of pages) {
      if (method !== 'GET' || path.includes(':')) continue;
      const page = await agent.open(console_.path(path));
      if (page.status === 403) continue;
      expect(page.status).toBe(200);
      for (const [, href = ''] of page.html.matchAll(/(?:href|action)="(\/console\/[^"]+)"/g)) {
        const target = await agent.open(href.replaceAll('&amp;', '&'));
        expect(`${href} ${target.status}`).toBe(`${href} 200`);
      }
    }
  });

  test('somebody without an organization makes one first; where one was is remembered', async () => {
    const person = newcomer();
    const { user } = await bootstrap(console_.services, { email: person.email });
    await console_.services.database.sql()('memberships').where({ user_id: user.id }).delete();
    const agent = createUserAgent(console_.url);
    const form = await agent.open('/login');
    await agent.submit(form, { email: user.email, password: user.password }, '/login');
    const first = await agent.open('/console');
    expect(textOf(first.html)).toContain('Start with an organization');
    const bad = await agent.submit(first, { name: ' ' }, '/new');
    expect(bad.status).toBe(422);
    const made = await agent.submit(first, { name: 'Brand new' }, '/new');
    expect(textOf(made.html)).toContain('Make your first request');
    await agent.open(made.url.replace('/live', '/test'));
    expect((await agent.open('/console')).url).toContain('/test');
  });
});

describe('Who proved more than ten minutes ago that it is them', () => {
  let console_: Console;

  beforeAll(async () => {
    console_ = await startConsole();
    console_.later(11);
  });
  afterAll(() => console_?.close());

  const confirm = (url: string) => `/account/confirm?${new URLSearchParams({ returnTo: url })}`;
  const send = async (path: string, form?: Record<string, string>) =>
    fetch(console_.url + path, {
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: await console_.owner.jar.getCookieString(console_.url + path) },
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    });

  test.each(pages.filter(({ method, recent }) => method === 'GET' && recent))(
    'proves it again before GET $path',
    async ({ path }) => {
      const url = console_.path(filled(path));
      expect((await send(url)).headers.get('location')).toBe(confirm(url));
    },
  );

  test.each(pages.filter(({ method, recent }) => method === 'POST' && recent === true))(
    'proves it again before POST $path',
    async ({ path }) => {
      const _csrf = csrfOf(await console_.owner.open(console_.path('/keys')));
      const answer = await send(console_.path(filled(path)), { _csrf });
      expect(answer.headers.get('location')).toMatch(/^\/account\/confirm\?/);
    },
  );

  test('loses nothing of what was typed meanwhile, and nothing is changed', async () => {
    const _csrf = csrfOf(await console_.owner.open(console_.path('/keys')));
    for (const [path, typed] of [
      ['/keys/new', { name: 'Typed for long', preset: 'read' }],
      ['/apps/new', { name: 'Typed for long', kind: 'service' }],
      ['/members/invite', { email: 'typed@example.com', role: 'viewer' }],
      ['/webhooks/new', { url: 'https://typed.example/', event: '*' }],
      ['/settings', { name: 'Typed for long', leakedSecrets: 'roll' }],
    ] as const) {
      const answer = await send(console_.path(path), { _csrf, ...typed });
      expect(answer.status).toBe(403);
      const html = await answer.text();
      expect(html).toContain(`value="${Object.values(typed)[0]}"`);
      expect(html).toContain('href="/account/confirm?returnTo=%2Fconsole"');
      const list = path === '/settings' ? path : path.replace(/\/\w+$/, '');
      expect((await console_.owner.open(console_.path(list))).html).not.toMatch(/typed/i);
    }
  });
});
