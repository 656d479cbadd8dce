import { execFile } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import knexFactory from 'knex';
import { freshDataDir, freshPostgres } from './support/databases.ts';
import { programEnv } from './support/harness.ts';
import { describeWith } from './support/needs.ts';
import { startServer } from './support/server-process.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

type Ran = { code: number; stdout: string; stderr: string };

/** The command as an operator runs it, with nothing of the environment around the test. */
const run = (env: Record<string, string>, ...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ['src/cli.ts', ...args],
      { cwd: ROOT, env: { ...programEnv(), ...env } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

/** Said in words: no stack, and nothing on standard output that a program could take for a result. */
const expectRefused = ({ code, stdout, stderr }: Ran, words: RegExp): void => {
  expect(stderr).toMatch(words);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stdout).toBe('');
  expect(code).toBe(1);
};

describe('promptreports-auth', () => {
  let env: Record<string, string>;

  beforeAll(() => {
    env = { DATA_DIR: freshDataDir().dataDir };
  });

  test('bootstrap --json prints one object of the documented shape, and nothing else', async () => {
    const { code, stdout } = await run(
      env,
      'bootstrap',
      '--json',
      '--email',
      'Owner@Example.com',
      '--organization',
      'Acme',
      '--plan',
      'business',
    );
    expect(code).toBe(0);
    const secret = expect.stringMatching(/^secret_[0-9A-Za-z]{36}$/);
    const clientId = expect.stringMatching(/^app_/);
    const redirectUris = ['http://localhost:8080/callback', 'http://127.0.0.1:8080/callback'];
    expect(JSON.parse(stdout)).toEqual({
      organization: { id: expect.stringMatching(/^org_/), name: 'Acme', plan: 'business' },
      user: { id: expect.stringMatching(/^usr_/), email: 'owner@example.com', password: expect.any(String) },
      apiKeys: {
        live: expect.stringMatching(/^pr_live_[0-9A-Za-z]{36}$/),
        test: expect.stringMatching(/^pr_test_[0-9A-Za-z]{36}$/),
      },
      apps: {
        web: { clientId, clientSecret: secret, redirectUris },
        spa: { clientId, redirectUris },
        service: { clientId, clientSecret: secret },
      },
    });
  });

  test('bootstrap without an address makes another set each time', async () => {
    const emails = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const { stdout } = await run(env, 'bootstrap', '--json');
      emails.add((JSON.parse(stdout) as { user: { email: string } }).user.email);
    }
    expect(emails.size).toBe(2);
  });

  test('what can not be done is said in words, and leaves nothing behind', async () => {
    const taken = ['bootstrap', '--json', '--email', 'owner@example.com'];
    expectRefused(await run(env, ...taken), /owner@example\.com has an account already/);
    expectRefused(await run(env, 'bootstrap', '--email', 'nobody'), /not an e-mail address/);
    expectRefused(await run(env, 'bootstrap', '--plan', 'gold'), /free, pro, business, enterprise/);
    expectRefused(await run(env, 'bootstrap', '--organization', ' '), /1 to 100 characters/);
    expectRefused(await run(env, 'bootstrp'), /unknown command/);
  });

  test('every fault of the settings is named together', async () => {
    const faulty = { ...env, PORT: 'x', API_URL: 'ftp://x', SECRET_KEY: 'short', NODE_ENV: 'production' };
    const ran = await run(faulty, 'migrate');
    expectRefused(ran, /4 faults/);
    for (const name of ['PORT', 'API_URL', 'SECRET_KEY', 'WEB_URL'])
      expect(ran.stderr).toContain(`- ${name} `);
  });

  test('migrate says that the embedded schema is up to date', async () => {
    expect(await run(env, 'migrate')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('(embedded) is up to date'),
    });
  });

  test('apps mark-resource-server marks a confidential app, takes the mark away, and refuses what it can not', async () => {
    const { stdout } = await run(env, 'bootstrap', '--json');
    const { apps } = JSON.parse(stdout) as {
      apps: { service: { clientId: string }; spa: { clientId: string } };
    };
    const mark = (...args: string[]) => run(env, 'apps', 'mark-resource-server', ...args);
    expect(await mark(apps.service.clientId)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('is a resource server'),
    });
    expect((await mark(apps.service.clientId, '--undo')).stderr).toContain('no resource server any more');
    expectRefused(await mark(apps.spa.clientId), /native can not authenticate itself/);
    expectRefused(await mark('app_unknown'), /No such/);
  }, 90_000);

  test('users deactivate and reactivate say what they did, and that there was nothing to do', async () => {
    const { stdout } = await run(env, 'bootstrap', '--json');
    const { user } = JSON.parse(stdout) as { user: { id: string } };
    expect(await run(env, 'users', 'deactivate', user.id)).toMatchObject({ code: 0, stdout: '' });
    expectRefused(await run(env, 'users', 'deactivate', user.id), /deactivated already/);
    expect((await run(env, 'users', 'reactivate', user.id)).code).toBe(0);
    expectRefused(await run(env, 'users', 'reactivate', 'usr_unknown'), /no such person/);
  }, 90_000);

  test('signing-keys lists, rotates and drops; standard output holds the keys alone', async () => {
    const listed = await run(env, 'signing-keys', 'list');
    const [first = ''] = listed.stdout.split('\n');
    expect(first).toMatch(/^current {2}RS256 {2}[\w-]{43} {2}since \d{4}-/);
    const rotated = await run({ ...env, JWKS_CACHE_SECONDS: '1000' }, 'signing-keys', 'rotate');
    expect(rotated.stdout).toMatch(/^next {5}RS256 .*, signs from \d{4}-/m);
    const kid = first.split(/\s+/)[2] ?? '';
    const dropped = await run(env, 'signing-keys', 'rotate', '--compromised', kid);
    expect(dropped.code).toBe(0);
    expect(dropped.stdout).toMatch(/^current {2}RS256 /);
    expect(dropped.stdout).not.toContain(kid);
    expectRefused(await run(env, 'signing-keys', 'rotate', '--compromised', kid), /no such key/);
  }, 90_000);

  test('a second process on one DATA_DIR refuses, by every command', async () => {
    const server = await startServer();
    const same = { DATA_DIR: server.dataDir, PORT: '0' };
    for (const command of ['serve', 'migrate', 'bootstrap']) {
      expectRefused(await run(same, command), /Another process has the embedded database .* open/);
    }
    expect(await server.stop()).toBe(0);
  }, 30_000);

  test('a DATA_DIR that is too long for the lock is refused in words', async () => {
    const deep = path.join(freshDataDir().dataDir, 'd'.repeat(120));
    expectRefused(await run({ DATA_DIR: deep }, 'migrate'), /DATA_DIR .* is too long/);
  });
});

describeWith('postgresql', 'promptreports-auth on PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof freshPostgres>>;

  beforeAll(async () => {
    database = await freshPostgres({ empty: true });
  });

  afterAll(() => database.drop());

  test('migrate makes the schema on an empty database, once, also when two start together', async () => {
    const env = { DATABASE_URL: database.databaseUrl, DATA_DIR: freshDataDir().dataDir };
    const ran = await Promise.all([run(env, 'migrate'), run(env, 'migrate')]);
    expect(ran.map(({ code }) => code)).toEqual([0, 0]);
    const knex = knexFactory({ client: 'pg', connection: database.databaseUrl });
    const names = await knex('migrations').orderBy('name').pluck<string[]>('name');
    await knex.destroy();
    expect(names).toEqual([...new Set(names)]);
    expect(names).toContain('0001-foundation');
  }, 30_000);
});
