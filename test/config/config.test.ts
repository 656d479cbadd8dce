import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type Config, ConfigError, loadConfig } from '../../config/config.ts';

const KEY = Buffer.alloc(32, 7);
const PRODUCTION = {
  NODE_ENV: 'production',
  API_URL: 'https://api.example.com',
  WEB_URL: 'https://example.com',
  SECRET_KEY: KEY.toString('base64'),
};

/** The faults that the settings are refused for; empty when they are taken. */
function faultsOf(env: Record<string, string | undefined>): string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const folder = mkdtempSync(path.join(tmpdir(), 'promptreports-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileWith = (name: string, content: string): string => {
  writeFileSync(path.join(folder, name), content);
  return path.join(folder, name);
};

describe('without any setting', () => {
  test('a development process runs on one local origin with an embedded database', () => {
    expect(loadConfig({})).toMatchObject({
      production: false,
      apiUrl: 'http://localhost:3000',
      webUrl: 'http://localhost:3000',
      port: 3000,
      host: '127.0.0.1',
      databaseUrl: undefined,
      dataDir: path.resolve('data'),
      redisUrl: undefined,
      secretKey: undefined,
      trustedProxies: [],
      smtpUrl: undefined,
      logLevel: 'info',
      refreshGraceSeconds: 10,
    } satisfies Partial<Config>);
  });

  test('both origins follow the port', () => {
    expect(loadConfig({ PORT: '8080' })).toMatchObject({
      apiUrl: 'http://localhost:8080',
      webUrl: 'http://localhost:8080',
    });
  });

  test('the pages follow the API origin', () => {
    expect(loadConfig({ API_URL: 'http://api.test:1' }).webUrl).toBe('http://api.test:1');
  });
});

describe('a fault', () => {
  test('is reported together with all the others, each by the name of its variable', () => {
    const faults = faultsOf({
      NODE_ENV: 'staging',
      API_URL: 'api.example.com',
      PORT: '99999',
      DATABASE_URL: 'mysql://localhost/x',
      SECRET_KEY: 'c2hvcnQ=',
      TRUSTED_PROXIES: '10.0.0.0/8, 300.1.1.1',
      LOG_LEVEL: 'loud',
      REFRESH_GRACE_SECONDS: '61',
    });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
      'NODE_ENV',
      'API_URL',
      'PORT',
      'DATABASE_URL',
      'SECRET_KEY',
      'TRUSTED_PROXIES',
      'LOG_LEVEL',
      'REFRESH_GRACE_SECONDS',
    ]);
  });

  test('stands on its own line of the message', () => {
    expect(() => loadConfig({ PORT: 'x', REDIS_URL: 'x' })).toThrow(
      /2 faults:\n {2}- PORT .+\n {2}- REDIS_URL .+$/,
    );
  });

  test('never shows the value, which may be a secret', () => {
    const canary = 'canary-2f81';
    for (const name of [
      'DATABASE_URL',
      'REDIS_URL',
      'SMTP_URL',
      'SECRET_KEY',
      'API_URL',
      'NODE_ENV',
      'PORT',
    ]) {
      const faults = faultsOf({ [name]: canary });
      expect(faults).toHaveLength(1);
      expect(faults.join()).not.toContain(canary);
    }
  });

  test.each([
    ['API_URL', 'https://api.example.com/v1'],
    ['API_URL', 'https://api.example.com?x=1'],
    ['API_URL', 'https://user@api.example.com'],
    ['API_URL', 'ftp://api.example.com'],
    ['WEB_URL', 'javascript:alert(1)'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['DATABASE_URL', 'localhost:5432'],
    ['DATABASE_POOL_SIZE', '0'],
    ['REDIS_URL', 'http://localhost:6379'],
    ['SECRET_KEY', Buffer.alloc(31).toString('base64')],
    ['SECRET_KEY', Buffer.alloc(33).toString('base64')],
    ['TRUSTED_PROXIES', 'all'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['SMTP_URL', 'mail.example.com'],
    ['REFRESH_GRACE_SECONDS', '-1'],
    ['REFRESH_GRACE_SECONDS', '1.5'],
    ['USAGE_HOURS_DAYS', '0'],
    ['USAGE_SECONDS_DAYS', '401'],
    ['USAGE_DAYS_DAYS', '34'], // fewer than the default of USAGE_HOURS_DAYS
  ])('is %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([expect.stringMatching(`^${name} `)]);
  });
});

describe('a setting', () => {
  test('that is empty counts as absent', () => {
    expect(loadConfig({ PORT: '', DATABASE_URL: '', REDIS_URL: '', SECRET_KEY: '' })).toEqual(loadConfig({}));
  });

  test('is taken as it is meant', () => {
    expect(
      loadConfig({
        API_URL: 'https://api.example.com/',
        TRUSTED_PROXIES: ' 10.0.0.0/8,::1 ,192.0.2.7',
        SECRET_KEY: KEY.toString('base64'),
        DATA_DIR: 'relative/folder',
        DATABASE_POOL_SIZE: '25',
        REFRESH_GRACE_SECONDS: '0',
      }),
    ).toMatchObject({
      apiUrl: 'https://api.example.com',
      trustedProxies: ['10.0.0.0/8', '::1', '192.0.2.7'],
      secretKey: KEY,
      dataDir: path.resolve('relative/folder'),
      databasePoolSize: 25,
      refreshGraceSeconds: 0,
    });
  });

  test('is read from the file that NAME_FILE names, without the line break at its end', () => {
    const config = loadConfig({
      SECRET_KEY_FILE: fileWith('key', `${KEY.toString('base64')}\n`),
      DATABASE_URL_FILE: fileWith('url', 'postgres://db/app\n'),
    });
    expect(config).toMatchObject({ secretKey: KEY, databaseUrl: 'postgres://db/app' });
  });

  test('that is given both ways is a fault, since one of them would be ignored', () => {
    const env = {
      SECRET_KEY: KEY.toString('base64'),
      SECRET_KEY_FILE: fileWith('key', KEY.toString('base64')),
    };
    expect(faultsOf(env)).toEqual([expect.stringContaining('SECRET_KEY and SECRET_KEY_FILE are both set')]);
  });

  test('whose file is missing is a fault that says so', () => {
    expect(faultsOf({ SECRET_KEY_FILE: path.join(folder, 'missing') })).toEqual([
      expect.stringMatching(/^SECRET_KEY_FILE .*ENOENT/),
    ]);
  });

  test('from a file is checked like any other', () => {
    expect(faultsOf({ PORT_FILE: fileWith('port', 'many') })).toEqual([expect.stringMatching(/^PORT /)]);
  });
});

describe('in production', () => {
  test('the origins and the secret key must be given, and each that is missing is named', () => {
    expect(faultsOf({ NODE_ENV: 'production' })).toEqual([
      'API_URL is required in production',
      'WEB_URL is required in production',
      'SECRET_KEY is required in production',
    ]);
  });

  test('a setting that is wrong is not also called missing', () => {
    expect(faultsOf({ ...PRODUCTION, API_URL: 'nonsense', SECRET_KEY: 'short' })).toHaveLength(2);
    expect(
      faultsOf({ ...PRODUCTION, SECRET_KEY: undefined, SECRET_KEY_FILE: path.join(folder, 'missing') }),
    ).toEqual([expect.stringContaining('SECRET_KEY_FILE names a file')]);
  });

  test.each(['API_URL', 'WEB_URL'])('%s must be https', (name) => {
    expect(faultsOf({ ...PRODUCTION, [name]: 'http://example.com' })).toEqual([
      `${name} must be an https URL in production`,
    ]);
  });

  test('the process listens on every address, and mail comes from the host of the pages', () => {
    expect(loadConfig(PRODUCTION)).toMatchObject({
      production: true,
      host: '0.0.0.0',
      mailFrom: 'PromptReports <no-reply@example.com>',
    });
  });
});
