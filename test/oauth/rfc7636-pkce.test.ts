import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addApp, type Client } from '../support/prepare.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce } from '../support/site.ts';
import { getCode, tokenRequest } from './support.ts';

let site: PreparedSite<{ withoutPkce: Client }>;

beforeAll(async () => {
  site = await startPreparedSite('embedded', async (services, made) => ({
    withoutPkce: await addApp(services, made, { requirePkce: false }),
  }));
}, 120_000);

afterAll(() => site?.stop());

/** Where the authorization request leads at once, without anybody signing in. */
async function answerTo(params: Record<string, string | undefined>): Promise<URLSearchParams | 'accepted'> {
  const response = await fetch(authorizationUrl(site, pkce().challenge, params), {
    redirect: 'manual',
    headers: { Accept: 'text/html' },
  });
  await response.body?.cancel();
  const location = new URL(response.headers.get('location') ?? '', site.server.url);
  return location.pathname.startsWith('/oauth/interaction/') ? 'accepted' : location.searchParams;
}

const refusal = (answer: URLSearchParams | 'accepted') =>
  answer === 'accepted'
    ? answer
    : {
        error: answer.get('error'),
        state: answer.get('state'),
        iss: answer.get('iss'),
        code: answer.get('code'),
      };

const invalidRequest = () => ({
  error: 'invalid_request',
  state: 'the-state',
  iss: site.server.url,
  code: null,
});

describe('RFC 7636 §4.4.1: the authorization request', () => {
  const long = (length: number) => 'a'.repeat(length);

  test.each([
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }],
    ['a method alone', { code_challenge: undefined }],
    ['plain', { code_challenge_method: 'plain' }],
    ['no method, which would mean plain', { code_challenge_method: undefined }],
    ['an empty method', { code_challenge_method: '' }],
    ['a method in lower case', { code_challenge_method: 's256' }],
    ['an unknown method', { code_challenge_method: 'S512' }],
    ['a short challenge', { code_challenge: long(42) }],
    ['a long challenge', { code_challenge: long(129) }],
    ['a challenge with other characters', { code_challenge: `${long(42)}=` }],
    ['an empty challenge', { code_challenge: '' }],
  ])('is invalid_request with %s, for a confidential app as for a public one', async (_, params) => {
    expect(refusal(await answerTo(params))).toEqual(invalidRequest());
    const { spa } = site.made.apps;
    expect(
      refusal(await answerTo({ client_id: spa.clientId, redirect_uri: spa.redirectUris[0], ...params })),
    ).toEqual(invalidRequest());
  });

  test('may leave PKCE out only for a confidential app that was registered with require_pkce: false', async () => {
    const without = {
      client_id: site.extra.withoutPkce.clientId,
      code_challenge: undefined,
      code_challenge_method: undefined,
    };
    expect(await answerTo(without)).toBe('accepted');
    expect(refusal(await answerTo({ ...without, code_challenge: pkce().challenge }))).toEqual(
      invalidRequest(),
    );
  });
});

describe('RFC 7636 §4.6: the token request', () => {
  const redeem = async (change: (redemption: Record<string, string>) => Record<string, string>) => {
    const { redemption } = await getCode(site);
    const { status, body } = await tokenRequest(site, change(redemption));
    return `${status} ${body['error'] ?? 'ok'}`;
  };

  test('is answered with the right verifier', async () => {
    expect(await redeem((form) => form)).toBe('200 ok');
  });

  test.each<[string, (form: Record<string, string>) => Record<string, string>]>([
    ['no verifier', ({ code_verifier: _, ...form }) => form],
    ['another verifier', (form) => ({ ...form, code_verifier: pkce().verifier })],
    ['a verifier of another length', (form) => ({ ...form, code_verifier: `${form['code_verifier']}a` })],
    [
      'the challenge as verifier',
      (form) => ({
        ...form,
        code_verifier: createHash('sha256')
          .update(form['code_verifier'] as string)
          .digest('base64url'),
      }),
    ],
    ['the verifier in another case', (form) => ({ ...form, code_verifier: swapCase(form['code_verifier']) })],
  ])('is invalid_grant with %s', async (_, change) => {
    expect(await redeem(change)).toBe('400 invalid_grant');
  });

  test.each<[string, string]>([
    ['an empty one', ''],
    ['a short one', 'a'.repeat(42)],
    ['a long one', 'a'.repeat(129)],
    ['one with other characters', `${'a'.repeat(42)}!`],
  ])('is refused with a verifier that can be none: %s', async (_, verifier) => {
    expect(await redeem((form) => ({ ...form, code_verifier: verifier }))).toMatch(
      /^400 invalid_(grant|request)$/,
    );
  });

  test('RFC 9700 §4.8.2: is invalid_grant with a verifier for a code that had no challenge', async () => {
    const request = {
      client: site.extra.withoutPkce,
      params: { code_challenge: undefined, code_challenge_method: undefined },
    };
    const downgraded = await getCode(site, request);
    const refused = await tokenRequest(site, downgraded.redemption);
    expect(`${refused.status} ${refused.body['error']}`).toBe('400 invalid_grant');

    const { redemption } = await getCode(site, request);
    const { code_verifier: _, ...withoutVerifier } = redemption;
    expect((await tokenRequest(site, withoutVerifier)).status).toBe(200);
  });

  test('a wrong verifier does not spend the code: its owner can still redeem it', async () => {
    const { redemption } = await getCode(site);
    await tokenRequest(site, { ...redemption, code_verifier: pkce().verifier });
    expect((await tokenRequest(site, redemption)).status).toBe(200);
  });
});

test('RFC 8414: S256 is the only method that is advertised', async () => {
  const response = await fetch(new URL('/.well-known/oauth-authorization-server', site.server.url));
  expect(await response.json()).toMatchObject({ code_challenge_methods_supported: ['S256'] });
});

const swapCase = (text = ''): string =>
  text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
