import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { type CryptoKey, SignJWT } from 'jose';
import * as client from 'openid-client';
import { createDpopKey } from '../oauth/dpop-support.ts';
import { atApp, CALLBACK, type Keyed, type World } from './world.ts';

export const PLAN = 'fapi2-security-profile-final-test-plan (PAR, DPoP)';
export const module = (name: string): string => `fapi2-security-profile-final-${name}`;

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export type Answer = { status: number; body: Record<string, unknown>; headers: Headers };
export type Members = Record<string, unknown>;
type Fields = Record<string, string>;

export const now = (): number => Math.floor(Date.now() / 1000);
export const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

export function without({ ...params }: Fields, ...names: string[]): Fields {
  for (const name of names) delete params[name];
  return params;
}

/** RFC 6749 §5.2: refused, with one of these errors. */
export function expectRefused({ status, body }: Answer, ...errors: string[]): void {
  expect(errors).toContain(body['error']);
  expect(body['error'] === 'invalid_client' ? [400, 401] : [400]).toContain(status);
}

/** A client of FAPI 2.0: private_key_jwt, pushed requests, a key for DPoP. Every part of a request can be made wrong. */
export async function createFapiClient(world: World, app: Keyed = world.apps.keyed) {
  const key = await createDpopKey();
  const { issuer } = world;

  const assertion = (claims: Members = {}, alg = app.alg, by: CryptoKey = app.privateKey): Promise<string> =>
    new SignJWT({
      iss: app.clientId,
      sub: app.clientId,
      aud: issuer,
      jti: randomUUID(),
      iat: now(),
      exp: now() + 60,
      ...claims,
    })
      .setProtectedHeader({ alg, kid: 'k1' })
      .sign(by);

  const postBare = async (
    path: string,
    form: Fields | URLSearchParams,
    headers: Fields = {},
  ): Promise<Answer> => {
    const answer = await fetch(issuer + path, { method: 'POST', body: new URLSearchParams(form), headers });
    return { status: answer.status, body: (await answer.json()) as Members, headers: answer.headers };
  };
  const post = async (path: string, form: Fields, headers: Fields = {}): Promise<Answer> => {
    const proven = { client_assertion_type: ASSERTION_TYPE, client_assertion: await assertion() };
    return postBare(path, { client_id: app.clientId, ...proven, ...form }, headers);
  };

  /** A request to push, with the verifier of its challenge. A member that is undefined is left out. */
  const newRequest = async (more: Record<string, string | undefined> = {}) => {
    const verifier = client.randomPKCECodeVerifier();
    const all = {
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid prompts:read',
      state: 'the-state',
      nonce: 'the-nonce',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    };
    const params = Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    return { verifier, params };
  };
  const push = async (more: Record<string, string | undefined> = {}, headers: Fields = {}) =>
    post('/oauth/par', (await newRequest(more)).params, headers);

  const authorizeUrl = (requestUri: unknown, more: Fields = {}) => {
    const query = { client_id: app.clientId, request_uri: String(requestUri), ...more };
    return `${issuer}/oauth/authorize?${new URLSearchParams(query).toString()}`;
  };

  /** Pushes, and lets a person allow it: the callback, and the form that redeems its code. */
  const getCode = async (
    more: Record<string, string | undefined> = {},
    headers: Fields = {},
    outside: Fields = {},
  ) => {
    const { verifier, params } = await newRequest(more);
    const pushed = await post('/oauth/par', params, headers);
    const callback = atApp(await world.visit(authorizeUrl(pushed.body['request_uri'], outside)));
    const code = callback.searchParams.get('code') ?? '';
    return {
      callback,
      form: { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier },
    };
  };

  const proofFor = async (path: string, by = key, claims: Members = {}, header: Members = {}) => ({
    DPoP: await by.prove({ method: 'POST', url: issuer + path }, claims, header),
  });
  const redeem = async (form: Fields, headers?: Fields): Promise<Answer> =>
    post('/oauth/token', form, headers ?? (await proofFor('/oauth/token')));
  const boundToken = async () => String((await redeem((await getCode()).form)).body['access_token']);

  const proofAtResource = (accessToken: string, claims: Members = {}, header: Members = {}, by = key) =>
    by.prove({ method: 'GET', url: `${issuer}/v1/me`, accessToken }, claims, header);
  const resource = (token: string, proof: string | undefined, scheme = 'DPoP') =>
    fetch(`${issuer}/v1/me`, {
      headers: { Authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { DPoP: proof }) },
    });

  return {
    key,
    assertion,
    postBare,
    post,
    newRequest,
    push,
    authorizeUrl,
    getCode,
    proofFor,
    redeem,
    boundToken,
    proofAtResource,
    resource,
  };
}
