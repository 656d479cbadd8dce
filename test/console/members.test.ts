import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mailedLink } from '../accounts/support.ts';
import type { UserAgent } from '../support/user-agent.ts';
import { type Console, startConsole, textOf } from './support.ts';

describe('Members in the console', () => {
  let console_: Console;
  let owner: UserAgent;

  beforeAll(async () => {
    console_ = await startConsole();
    owner = console_.owner;
  });
  afterAll(() => console_?.close());

  const urlOf = async (role: string): Promise<string> => {
    const { html } = await owner.open(console_.path('/members'));
    const row = html.split('<tr>').find((part) => part.includes(`>${role}</td>`)) ?? '';
    return /href="([^"]+)"/.exec(row)?.[1] ?? '';
  };
  const submit = async (agent: UserAgent, url: string, fields = {}) =>
    agent.submit(await agent.open(url), fields, url);

  test('an invitation is mailed, also from the sandbox, and can be withdrawn', async () => {
    const sent = await submit(owner, console_.path('/members/invite', 'test'), {
      email: 'Grace@Example.com',
      role: 'viewer',
    });
    expect(textOf(sent.html)).toContain('The invitation is on its way');
    expect(await mailedLink(console_, 'grace@example.com')).toContain('/account/invitations?token=');
    const url = /href="([^"]+\/members\/inv_[^"]+)"/.exec(sent.html)?.[1] ?? '';
    const withdrawn = await submit(owner, `${url}/remove`);
    expect(textOf(withdrawn.html)).toContain('The invitation is withdrawn');
    expect(withdrawn.html).not.toContain('grace@example.com');
  });

  test('what is wrong with an invitation stands beside its field', async () => {
    const page = await submit(owner, console_.path('/members/invite'), { email: 'nobody', role: 'viewer' });
    expect(page.status).toBe(422);
    expect(page.html).toMatch(/id="email-error"/);
    expect(page.html).toContain('value="nobody"');
  });

  test('a role is changed; the last owner stays one', async () => {
    await console_.join('member');
    const changed = await submit(owner, await urlOf('Member'), { role: 'admin' });
    expect(textOf(changed.html)).toContain('The role is changed');
    const refused = await submit(owner, await urlOf('Owner'), { role: 'viewer' });
    expect(refused.status).toBe(409);
    expect(textOf(refused.html)).toContain('This is the last owner');
  });

  test('an admin sees no way to change an owner, and is refused', async () => {
    const admin = await console_.join('admin');
    const url = await urlOf('Owner');
    const page = await admin.open(url);
    expect(page.html).not.toContain('name="role"');
    expect(page.html).not.toContain('/remove');
    const refused = await submit(admin, `${url}/remove`);
    expect(refused.status).toBe(403);
    expect(textOf(refused.html)).toContain('Only an owner may remove an owner.');
  });

  test('anybody may leave, and nobody below admin may remove another', async () => {
    const viewer = await console_.join('viewer');
    const refused = await submit(viewer, `${await urlOf('Owner')}/remove`);
    expect(refused.status).toBe(403);
    const left = await submit(viewer, `${await urlOf('Viewer')}/remove`);
    expect(left.url).not.toContain(console_.made.organization.id);
    expect((await viewer.open(console_.path('/members'))).status).toBe(404);
  });

  test('the organization gets another name, and another way with leaks; a viewer has no form for it', async () => {
    const settings = console_.path('/settings');
    const saved = await submit(owner, settings, { name: 'Renamed', leakedSecrets: 'roll' });
    expect(textOf(saved.html)).toContain('Saved.');
    const { id } = console_.made.organization;
    expect(await console_.services.organizations.find(id)).toMatchObject({
      name: 'Renamed',
      leakedSecrets: 'roll',
      requireSecondFactor: false,
    });
    const bad = await submit(owner, settings, { name: ' ', leakedSecrets: 'revoke' });
    expect(bad.status).toBe(422);
    expect(bad.html).toMatch(/id="name-error"/);
    const viewer = await console_.join('viewer');
    expect((await viewer.open(settings)).html).not.toContain('name="name"');
  });

  test('addresses of API keys: a wrong line is told beside the field; who set too few undoes it here', async () => {
    const settings = console_.path('/settings');
    const same = { name: 'Renamed', leakedSecrets: 'roll' };
    const bad = await submit(owner, settings, { ...same, ipAllowlist: '192.0.2.1\r\nnowhere' });
    expect(bad.status).toBe(422);
    expect(textOf(bad.html)).toContain('Line 2 must be an IPv4 or IPv6 address or CIDR range.');
    expect(bad.html).toMatch(/192\.0\.2\.1\r?\nnowhere<\/textarea>/);
    const statusOf = async () =>
      (
        await fetch(`${console_.url}/v1/me`, {
          headers: { authorization: `Bearer ${console_.made.apiKeys.live}` },
        })
      ).status;
    expect(await statusOf()).toBe(200);
    const shut = await submit(owner, settings, { ...same, ipAllowlist: ' 192.0.2.1 \r\n\r\n2001:db8::/32' });
    expect(textOf(shut.html)).toContain('Saved.');
    expect(shut.html).toContain('192.0.2.1\n2001:db8::/32</textarea>');
    expect(await statusOf()).toBe(403);
    const keys = await owner.open(console_.path('/keys'));
    const keyPage = /href="([^"]*\/keys\/key_[^"]+)"/.exec(keys.html)?.[1] ?? '';
    expect(textOf((await owner.open(keyPage)).html)).toMatch(/From 192\.0\.2\.1.*as the organization has it/);
    await submit(owner, settings, { ...same, ipAllowlist: '' });
    expect(await statusOf()).toBe(200);
  });

  test('a second factor can be required by who has one, and by nobody else', async () => {
    const page = await submit(owner, console_.path('/settings'), {
      name: 'Renamed',
      leakedSecrets: 'roll',
      requireSecondFactor: 'yes',
    });
    expect(page.status).toBe(409);
    expect(textOf(page.html)).toContain('Set up a second factor for yourself first.');
    expect(page.html).toMatch(/name="requireSecondFactor" value="yes" checked/);
  });
});
