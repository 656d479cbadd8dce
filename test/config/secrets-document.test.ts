import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { issueKey } from '../../src/api-keys/api-key.ts';
import { makeAppSecret } from '../../src/apps/register-app.ts';
import { INITIAL_TOKEN_PREFIX, REGISTRATION_TOKEN_PREFIX } from '../../src/apps/registration-tokens.ts';
import { checksum, issueSecret } from '../../src/kernel/secret.ts';
import { issueWebhookSecret } from '../../src/webhooks/signing.ts';

const DOCUMENT = readFileSync(path.resolve(import.meta.dirname, '../../docs/secrets.md'), 'utf8');

/** What a scanner of the document's own would do: pattern first, checksum then. */
const patterns = [...DOCUMENT.matchAll(/^\| [\w ]+ \| `([^`]+)` \|/gm)].map(
  ([, pattern]) => new RegExp(`^${pattern}$`),
);

test.each([
  ['API key', () => issueKey('live')],
  ['sandbox API key', () => issueKey('test')],
  ['client secret', () => makeAppSecret(undefined, new Date()).value],
  ['refresh token', () => issueSecret('rt_')],
  ['webhook secret', issueWebhookSecret],
  ['registration access token', () => issueSecret(REGISTRATION_TOKEN_PREFIX)],
  ['initial access token', () => issueSecret(INITIAL_TOKEN_PREFIX)],
  ['token of a mailed link', () => issueSecret('mail_')],
])('docs/secrets.md: exactly one pattern fits each %s, and its checksum is right', (_what, issue) => {
  expect(patterns).toHaveLength(7);
  for (let i = 0; i < 50; i++) {
    const secret = issue().reveal();
    expect(patterns.filter((pattern) => pattern.test(secret))).toHaveLength(1);
    const body = secret.slice(-36);
    expect(checksum(body.slice(0, 30))).toBe(body.slice(30));
  }
});
