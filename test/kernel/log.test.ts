import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { redact } from '../../src/kernel/log.ts';
import { issueSecret } from '../../src/kernel/secret.ts';

const CREDENTIALS: [string, string][] = [
  ['a live API key', issueSecret('pr_live_').reveal()],
  ['a test API key', issueSecret('pr_test_').reveal()],
  ['a refresh token', issueSecret('rt_').reveal()],
  ['a client secret', issueSecret('secret_').reveal()],
  ['a webhook secret', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  ['a registration access token', issueSecret('reg_').reveal()],
  ['an initial access token', issueSecret('iat_').reveal()],
  ['the token of a mailed link', issueSecret('mail_').reveal()],
  ['a JWT', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJlLW9mLWl0'],
];

describe('redact', () => {
  test.each(CREDENTIALS)('takes %s out of whatever stands around it', (_, credential) => {
    for (const [before, after] of [
      ['', ''],
      ['key=', '&next=1'],
      ['{"token":"', '"}'],
      ['Authorization: Bearer ', '\n'],
      ['/v1/me?token=Bearer%20', '&x'],
      ['/v1/me?note=mine%3A%20', '%20'],
    ]) {
      const text = redact(`${before}${credential}${after}`);
      expect(text).not.toContain(credential.slice(-20));
      expect(text).toContain('[redacted]');
    }
  });

  test('takes out every one of several', () => {
    expect(redact(CREDENTIALS.map(([, credential]) => credential).join(' '))).toMatch(/^(\[redacted\] ?)+$/);
  });

  test('takes out the value of an Authorization header, whatever its scheme', () => {
    expect(redact('Authorization: Basic dXNlcjpwYXNzd29yZA==')).toBe('Authorization: [redacted]');
    expect(redact('authorization: DPoP abcdefgh.ijkl.mnop')).toBe('authorization: [redacted]');
  });

  test('leaves what is no credential as it is', () => {
    const text = 'POST /v1/api-keys key_01jd3g6q7r8s9tabcdefghjkmn 201 pr_live_ client_secret_expires_at';
    expect(redact(text)).toBe(text);
  });
});

describe('the logger', () => {
  /** In a process of its own, since it writes to the file descriptor of standard error. */
  const logged = (statement: string): { stdout: string; stderr: string } => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '--disable-warning=ExperimentalWarning',
        '--eval',
        `import { createLogger } from './src/kernel/log.ts'; const logger = createLogger('info'); ${statement}`,
      ],
      { cwd: path.resolve(import.meta.dirname, '../..'), encoding: 'utf8' },
    );
    return { stdout, stderr };
  };

  test('writes JSON lines to standard error and nothing to standard output', () => {
    const { stdout, stderr } = logged("logger.info({ port: 3000 }, 'listening'); logger.warn('second')");
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), port: 3000, msg: 'listening' },
      { level: 'warn', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), msg: 'second' },
    ]);
    expect(stdout).toBe('');
  });

  test('keeps quiet below its level', () => {
    expect(logged("logger.debug('not asked for')").stderr).toBe('');
  });

  test.each(CREDENTIALS)(
    'never writes %s, be it in the message, a field, an error or its cause',
    (_, credential) => {
      const { stderr } = logged(`
      const credential = ${JSON.stringify(credential)};
      logger.info('got ' + credential);
      logger.info({ deep: { down: [credential] } }, 'field');
      logger.error({ err: new Error('bad ' + credential, { cause: new Error(credential) }) }, 'error');`);
      expect(stderr.trim().split('\n')).toHaveLength(3);
      expect(stderr).not.toContain(credential.slice(-20));
    },
  );

  test('never writes passwords, cookies and client secrets, which have no shape of their own', () => {
    const { stderr } = logged(`
      const canary = 'correct horse battery';
      logger.info({ password: canary, cookie: canary, authorization: canary }, 'flat');
      logger.info({ body: { password: canary, client_secret: canary }, headers: { cookie: canary } }, 'nested');`);
    expect(stderr.trim().split('\n')).toHaveLength(2);
    expect(stderr).not.toContain('correct horse battery');
  });
});
