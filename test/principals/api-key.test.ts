import { describe, expect, test } from '@jest/globals';
import { hasKeyShape, issueKey, type KeyInUse } from '../../src/api-keys/api-key.ts';
import { makeApiKey } from '../../src/api-keys/create.ts';
import { createApiKeyResolver, judgeKey } from '../../src/api-keys/verify.ts';
import { sha256 } from '../../src/kernel/secret.ts';
import { ALLOWANCE } from '../support/limits.ts';

const NOW = new Date('2026-01-15T10:30:00Z');
const KEY: KeyInUse = {
  id: 'key_1',
  organizationId: 'org_1',
  environment: 'live',
  scopes: ['prompts:read', 'prompts:write'],
  expiresAt: undefined,
  revokedAt: undefined,
  ipAllowlist: [],
  organizationIpAllowlist: [],
  createdBy: 'usr_1',
  createdByApp: undefined,
  createdAt: new Date(0),
  creatorRole: 'owner',
  creatorAppScopes: undefined,
  readAt: NOW,
  allowance: ALLOWANCE,
};
const codeOf = (key: KeyInUse | undefined) => {
  const resolution = judgeKey(key);
  return resolution.kind === 'bad' ? resolution.error.code : resolution.kind;
};

describe('a key that was found', () => {
  test('proves its organization, environment and scopes, and says what that rests on', () => {
    expect(judgeKey(KEY)).toEqual({
      kind: 'proven',
      restsOn: { tags: ['key:key_1', 'organization:org_1', 'user:usr_1'] },
      principal: {
        allowance: ALLOWANCE,
        method: 'api_key',
        id: 'key_1',
        organizationId: 'org_1',
        environment: 'live',
        scopes: ['prompts:read', 'prompts:write'],
      },
    });
  });

  test.each([
    ['unknown', undefined, 'invalid_credential'],
    ['revoked', { ...KEY, revokedAt: NOW }, 'credential_revoked'],
    ['expired by the millisecond', { ...KEY, expiresAt: NOW }, 'credential_expired'],
    ['a millisecond before its expiry', { ...KEY, expiresAt: new Date(NOW.getTime() + 1) }, 'proven'],
    ['revoked and expired', { ...KEY, revokedAt: NOW, expiresAt: NOW }, 'credential_revoked'],
    ['of somebody who left', { ...KEY, creatorRole: undefined }, 'credential_revoked'],
  ])('%s: %s', (_name, key, code) => {
    expect(codeOf(key)).toBe(code);
  });

  test('of an app can do what that app can, and nothing once it is gone', () => {
    const key: KeyInUse = { ...KEY, createdBy: undefined, createdByApp: 'app_1', creatorRole: undefined };
    expect(judgeKey({ ...key, creatorAppScopes: ['prompts:read', 'reports:read'] })).toMatchObject({
      principal: { scopes: ['prompts:read'] },
      restsOn: { tags: ['key:key_1', 'organization:org_1', 'app:app_1'] },
    });
    expect(codeOf({ ...key, creatorAppScopes: undefined })).toBe('credential_revoked');
  });

  test("can do no more than its creator's role can by now", () => {
    expect(judgeKey({ ...KEY, creatorRole: 'viewer' })).toMatchObject({
      principal: { scopes: ['prompts:read'] },
    });
  });
});

describe('what is looked up', () => {
  const lookUp = async (credential: string) => {
    const asked: Buffer[] = [];
    const resolve = createApiKeyResolver({
      apiKeys: {
        findByHash: async (hash) => {
          asked.push(hash);
          return KEY;
        },
      },
    });
    const { kind } = await resolve({ credential, path: '/v1/me', ip: '' });
    return { kind, asked };
  };

  test('a well-formed key, by its SHA-256', async () => {
    const key = issueKey('test').reveal();
    expect(key).toMatch(/^pr_test_[0-9A-Za-z]{36}$/);
    expect(await lookUp(key)).toEqual({ kind: 'proven', asked: [sha256(key)] });
  });

  test('a wrong checksum, length or alphabet never reaches the database', async () => {
    const key = issueKey('live').reveal();
    const flipped = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
    const swapped = key.replace('pr_live_', 'pr_test_').slice(0, -1);
    for (const wrong of [
      flipped,
      swapped,
      `${key}0`,
      key.slice(0, -1),
      'pr_live_',
      `pr_live_${'-'.repeat(36)}`,
      `${key}\n`,
    ]) {
      expect(hasKeyShape(wrong)).toBe(false);
      expect(await lookUp(wrong)).toEqual({ kind: 'bad', asked: [] });
    }
  });

  test.each(['rt_x', 'eyJ.e30.x', 'PR_LIVE_x', 'pr_prod_x', ''])('%j is no API key', async (credential) => {
    expect(await lookUp(credential)).toEqual({ kind: 'absent', asked: [] });
  });
});

test('of a new key only hash and last four characters are kept, and it is printed nowhere', () => {
  const made = makeApiKey(
    {
      organizationId: 'org_1',
      name: 'CI',
      environment: 'live',
      scopes: ['prompts:write', 'prompts:read'],
      createdBy: 'usr_1',
    },
    NOW,
  );
  const value = made.key.reveal();
  expect(made.hash).toEqual(sha256(value));
  expect(made.apiKey).toMatchObject({
    last4: value.slice(-4),
    scopes: ['prompts:read', 'prompts:write'],
    createdAt: NOW,
  });
  expect(JSON.stringify(made)).not.toContain(value.slice(8, 38));
});
