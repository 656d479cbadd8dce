import { expect, test } from '@jest/globals';
import { redirectUriFault, redirectUriFaults } from '../../src/apps/redirect-uri.ts';

const HTTPS = 'https://app.example.com/callback';

test.each([
  ['web', HTTPS],
  ['web', 'https://app.example.com'],
  ['web', 'https://app.example.com:8443/callback?from=us'],
  ['web', 'http://localhost:8080/callback'],
  ['web', 'http://127.0.0.1/callback'],
  ['web', 'http://[::1]:3000/callback'],
  ['web', 'https://localhost/callback'],
  ['spa', HTTPS],
  ['spa', 'http://localhost:5173/'],
  ['native', HTTPS],
  ['native', 'http://127.0.0.1/callback'],
  ['native', 'http://[::1]/callback'],
  ['native', 'http://localhost:8080/callback'],
  ['native', 'com.example.app:/callback'],
  ['native', 'com.example.my-app://callback'],
  ['native', 'io.example:/'],
] as const)('%s may be sent back to %s', (kind, uri) => {
  expect(redirectUriFault(uri, kind)).toBeUndefined();
});

const NEVER = [
  '',
  '/callback',
  'callback',
  '//app.example.com/callback',
  'https:app.example.com/callback',
  'https:/app.example.com/callback',
  'https:///app.example.com/callback',
  'https:\\\\app.example.com',
  'https://app.example.com\\@evil.example/',
  'https://user@app.example.com/callback',
  'https://user:password@app.example.com/callback',
  'https://@app.example.com/callback',
  `${HTTPS}#`,
  `${HTTPS}#fragment`,
  'https://*.example.com/callback',
  'https://app.example.com/*',
  'https://app.example.com/call back',
  ' https://app.example.com/callback',
  `${HTTPS}\n`,
  `${HTTPS}\u0000`,
  `${HTTPS}%00`,
  `${HTTPS}%0d%0aSet-Cookie:a`,
  `${HTTPS}%`,
  `${HTTPS}%zz`,
  'https://app.example.com/callback/../admin',
  'https://app.example.com/callback/..',
  'https://app.example.com/./callback',
  'https://app.example.com/callback/%2e%2e/admin',
  'https://app.example.com/callback/.%2E/admin',
  'https://app.example.com/callback%2f..%2fadmin',
  'https://app.example.com/callback/..%5cadmin',
  'https://app.example.com/callback/..;/admin',
  'https://app.example.com/callback/%252e%252e/admin',
  'https://App.Example.com/callback',
  'HTTPS://app.example.com/callback',
  'https://app.example.com:443/callback',
  'https://äpp.example.com/callback',
  'http://app.example.com/callback',
  'http://localhost.example.com/callback',
  'http://localhost.:8080/callback',
  'http://127.0.0.1.example.com/callback',
  'http://127.1/callback',
  'http://0x7f.0.0.1/callback',
  'http://2130706433/callback',
  'http://0.0.0.0/callback',
  'http://[::]/callback',
  'http://127.0.0.1@evil.example/callback',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'javascript://app.example.com/%0aalert(1)',
  'data:text/html,hello',
  'file:///etc/passwd',
  'vbscript:x',
  'blob:https://app.example.com/x',
  'about:blank',
  'myapp://callback',
  'myapp:/callback',
  'ftp://app.example.com/callback',
  'com.example.app:callback',
  'com.example.app:',
  'com..app:/callback',
  'COM.example.app:/callback',
  'com.example.app:/a/../callback',
  'com.example.app://user@callback',
  `https://app.example.com/${'a'.repeat(2_000)}`,
];

test.each(NEVER)('no app may be sent back to %j', (uri) => {
  for (const kind of ['web', 'spa', 'native'] as const) {
    expect([kind, redirectUriFault(uri, kind)]).toEqual([kind, expect.any(String)]);
  }
});

test.each([
  ['web', 'com.example.app:/callback'],
  ['spa', 'com.example.app:/callback'],
  ['native', 'https://localhost/callback'],
  ['native', 'https://127.0.0.1/callback'],
] as const)('%s may not be sent back to %s', (kind, uri) => {
  expect(redirectUriFault(uri, kind)).toBeDefined();
});

test('each fault stands with its path; none, twice, and more than 20 are faults too', () => {
  const paths = (uris: string[], kind: 'web' | 'service' = 'web') =>
    redirectUriFaults(uris, kind).map(({ path }) => path);
  expect(paths([HTTPS, 'http://evil.example', HTTPS])).toEqual(['redirectUris.1', 'redirectUris.2']);
  expect(paths([])).toEqual(['redirectUris']);
  expect(paths(Array.from({ length: 21 }, (_, i) => `${HTTPS}/${i}`))).toEqual(['redirectUris']);
  expect(paths(Array.from({ length: 20 }, (_, i) => `${HTTPS}/${i}`))).toEqual([]);
  expect(paths([], 'service')).toEqual([]);
  expect(paths([HTTPS], 'service')).toEqual(['redirectUris']);
});
