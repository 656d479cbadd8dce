import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createAlertMails } from '../../adapters/database/alert-mails.ts';
import { createAlertStore } from '../../adapters/database/alerts.ts';
import type { Database } from '../../adapters/database/database.ts';
import type { NewAlert } from '../../src/alerts/alert.ts';
import { createAlertMailing } from '../../src/alerts/mailing.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { describeEachDatabase } from '../support/each-database.ts';

type Mail = { to: string; subject: string; text: string; messageId?: string };

describeEachDatabase('Mails of alerts', (open) => {
  let database: Database;
  let alerts: ReturnType<typeof createAlertStore>;
  let mails: ReturnType<typeof createAlertMails>;
  let sent: Mail[];
  let counted: Map<string, number>;

  beforeAll(async () => {
    database = await open();
    alerts = createAlertStore(database);
    mails = createAlertMails(database);
  }, 60_000);
  afterAll(() => database.close());
  beforeEach(async () => {
    sent = [];
    counted = new Map();
    await database.sql()('alerts').delete();
  });

  /** An organization whose people have these roles, in this order. */
  const newOrganization = async (...roles: string[]) => {
    const id = newId('org');
    await database.sql()('organizations').insert({ id, name: 'Test' });
    const people: { id: string; email: string }[] = [];
    for (const role of roles) {
      const person = { id: newId('usr'), email: `${newId('usr')}@example.com` };
      await database
        .sql()('users')
        .insert({ ...person, name: role, password_hash: 'none' });
      await database.sql()('memberships').insert({ organization_id: id, user_id: person.id, role });
      people.push(person);
    }
    return { id, people, emails: people.map(({ email }) => email) };
  };
  const raise = async (organizationId: string, more: Partial<NewAlert> = {}, subject = 'key_1') => {
    const createdAt = new Date();
    const alert = {
      kind: 'slept',
      organizationId,
      environment: 'live',
      subject,
      period: newId('alr'),
      data: { lastUsedAt: null, days: 100 },
      ...more,
    } as NewAlert;
    await alerts.insert({ ...alert, id: newId('alr', createdAt), createdAt });
  };
  /** One process, which hands mails on by `sendMail`. */
  const processWith = (sendMail: (mail: Mail) => Promise<void>) =>
    createAlertMailing({
      mails,
      sendMail,
      count: (result) => counted.set(result, (counted.get(result) ?? 0) + 1),
      webUrl: 'https://example.com',
      logger: createLogger('silent'),
    });
  const send = () => processWith(async (mail) => void sent.push(mail))();
  const passTime = () =>
    database
      .sql()('alert_mails')
      .update({ due_at: new Date(0) });
  const left = async () => Number((await database.sql()('alert_mails').count())[0]?.['count']);

  test('owners and admins get one each, of whatever process; nobody else does', async () => {
    const { id, emails } = await newOrganization('owner', 'admin', 'member', 'viewer');
    await raise(id);
    await Promise.all([send(), send(), send()]);
    await send();
    expect(sent.map(({ to }) => to).sort()).toEqual(emails.slice(0, 2).sort());
    expect(sent[0]).toMatchObject({
      subject: 'A credential was used after a long time',
      text: expect.stringContaining('key_1'),
      messageId: expect.stringMatching(/^<alr_\w+\.usr_\w+@example\.com>$/),
    });
    expect(await left()).toBe(0);
  });

  test('of processes that claim at once each gets mails of its own', async () => {
    const { id } = await newOrganization('owner', 'admin');
    for (let i = 0; i < 100; i++) await raise(id, {}, `key_${i}`);
    while ((await mails.address(50, 20)) > 0);
    const claims: string[] = [];
    for (let round = 0; round < 20; round++) {
      const claimed = await Promise.all(Array.from({ length: 10 }, () => mails.claim(2, 60)));
      claims.push(...claimed.flat().map(({ alert, userId }) => `${alert.id} ${userId}`));
    }
    expect(new Set(claims).size).toBe(claims.length);
    expect(claims.length).toBeGreaterThanOrEqual(40);
  });

  test('an address that refuses its mail neither keeps it from the others nor has them get it again', async () => {
    const { id, emails } = await newOrganization('owner', 'admin', 'admin');
    await raise(id);
    const refusing = processWith(async (mail) => {
      if (mail.to === emails[0]) throw new Error('550 no such mailbox');
      sent.push(mail);
    });
    let tries = 0;
    for (; (await left()) > 0 || tries === 0; tries++) {
      await refusing();
      await passTime();
    }
    expect(tries).toBe(7); // and it is given up
    expect(Object.fromEntries(counted)).toEqual({ sent: 2, postponed: 6, given_up: 1 });
    expect(sent.map(({ to }) => to).sort()).toEqual(emails.slice(1).sort());
  });

  test('what can’t be handed on is tried again, a minute later and then ever more rarely', async () => {
    const { id } = await newOrganization('owner');
    await raise(id);
    const failing = processWith(() => Promise.reject(new Error('no mail today')));
    const waits: number[] = [];
    for (let tries = 0; tries < 6; tries++) {
      await failing();
      const row = await database.sql()('alert_mails').first<{ due_at: Date }>('due_at');
      waits.push(Math.round((row.due_at.getTime() - Date.now()) / 60_000));
      await send(); // not yet
      await passTime();
    }
    expect(waits).toEqual([1, 5, 30, 120, 360, 960]);
    expect(sent).toEqual([]);
    await send();
    expect(sent).toHaveLength(1);
  });

  test('a process that dies between two of an alert’s mails has the second sent by another, and the first not again', async () => {
    const { id, emails } = await newOrganization('owner', 'admin');
    await raise(id);
    const dead = new Promise<never>(() => {});
    let handedOn = 0;
    void processWith((mail) => {
      if (handedOn++ === 1) return dead;
      sent.push(mail);
      return Promise.resolve();
    })();
    while ((await left()) !== 1) await new Promise((resolve) => setTimeout(resolve, 10));
    await send();
    expect(sent).toHaveLength(1); // it has its lease still
    await passTime();
    await send();
    expect(sent.map(({ to }) => to).sort()).toEqual(emails.sort());
  });

  test('who has left, lost the role or was deactivated meanwhile gets none', async () => {
    const { id, people, emails } = await newOrganization('owner', 'admin', 'admin', 'admin');
    await raise(id);
    await processWith(() => Promise.reject(new Error('not now')))();
    const [, left_, demoted, off] = people;
    const membership = (person?: { id: string }) =>
      database
        .sql()('memberships')
        .where({ organization_id: id, user_id: person?.id ?? '' });
    await membership(left_).delete();
    await membership(demoted).update({ role: 'member' });
    await database
      .sql()('users')
      .where({ id: off?.id ?? '' })
      .update({ deactivated_at: new Date() });
    await passTime();
    await send();
    expect(sent.map(({ to }) => to)).toEqual([emails[0]]);
    expect(await left()).toBe(0);
  });

  test('takes turns between organizations, however many mails one has waiting', async () => {
    const loud = await newOrganization('owner');
    const quiet = await newOrganization('owner');
    for (let i = 0; i < 30; i++) await raise(loud.id, {}, `key_${i}`);
    await raise(quiet.id);
    await send();
    expect(sent).toHaveLength(31);
    expect(sent.findIndex(({ to }) => to === quiet.emails[0])).toBeLessThan(10);
  });

  test('is no mail bomb: of disabled webhooks an organization is mailed 20 times a day', async () => {
    const { id } = await newOrganization('owner');
    const other = await newOrganization('owner');
    const disabled = {
      kind: 'webhook_disabled',
      data: { url: 'https://example.com/', reason: 'gone' },
    } as const;
    for (let i = 0; i < 25; i++) await raise(id, disabled, newId('wh'));
    await raise(other.id, disabled, newId('wh'));
    await raise(id);
    await send();
    const to = (email?: string) => sent.filter((mail) => mail.to === email).length;
    expect(sent).toHaveLength(22);
    expect(to(other.emails[0])).toBe(1);
  });

  test('is no phishing mail: what a member typed is no link in it', async () => {
    const { id } = await newOrganization('owner');
    const url = 'https://login.promptreports.evil.example/your-account?sign=in';
    await raise(id, { kind: 'webhook_disabled', data: { url, reason: 'gone' } }, newId('wh'));
    await send();
    expect(sent[0]?.text).toContain('sends to login. promptreports. evil. example, was disabled');
    expect(sent[0]?.text.match(/https?:\/\/\S+/g)).toEqual(['https://example.com/console']);
    expect(sent[0]?.text).not.toContain('your-account');
  });
});
