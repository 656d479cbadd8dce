import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { refreshTokenSeconds } from '../../src/oauth/lifetimes.ts';
import { describeWith } from '../support/needs.ts';
import { requestAt } from '../support/node-request.ts';
import { startTwoNodes, type TwoNodes } from '../support/prepared-site.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { createDpopKey, type DpopKey } from './dpop-support.ts';
import { getCode, getTokens, refreshForm, tokenRequest } from './support.ts';
import { type Askers, addAskers, introspect } from './token-management.ts';

const DAY = 86_400;

describe('How long a refresh token lives', () => {
  test('30 days from its use, and never past 90 days from the first', () => {
    expect(refreshTokenSeconds(0)).toBe(30 * DAY);
    expect(refreshTokenSeconds(60 * DAY)).toBe(30 * DAY);
    expect(refreshTokenSeconds(60 * DAY + 1)).toBe(30 * DAY - 1);
    expect(refreshTokenSeconds(90 * DAY - 1)).toBe(1);
  });
});

describeWith('postgresql', 'A refresh token, over two processes', () => {
  let site: TwoNodes<Askers>;

  beforeAll(async () => {
    site = await startTwoNodes(addAskers, { REFRESH_GRACE_SECONDS: '30' });
  }, 60_000);
  afterAll(() => site?.stop());

  const rowOf = (token: string) =>
    site.services.database
      .sql()('oauth_records')
      .where({ id_hash: createHash('sha256').update(`RefreshToken\0${token}`).digest() });

  /** Seconds until its row expires, by the database's clock. */
  const secondsLeft = async (token: string): Promise<number> => {
    const row = await rowOf(token).first<{ left: number }>(
      site.services.database.sql().raw('extract(epoch FROM expires_at - now())::float AS left'),
    );
    return row.left;
  };

  /** First successors under the token's grant. */
  const countChildren = async (token: string): Promise<number> => {
    const { grant_id: grantId } = await rowOf(token).first('grant_id');
    const children = await site.services.database
      .sql()('oauth_records')
      .where({ kind: 'RefreshToken', grant_id: grantId })
      .whereRaw("(payload->>'rotations')::int = 1");
    return children.length;
  };

  /** Moves all of a token's times back, as if it had lain there for that long. */
  const lie = (token: string, seconds: number) => {
    const { sql } = site.services.database;
    return rowOf(token).update({
      expires_at: sql().raw("expires_at - ? * interval '1 second'", [seconds]),
      payload: sql().raw(
        `payload || jsonb_build_object('iat', (payload->>'iat')::bigint - :s, 'exp', (payload->>'exp')::bigint - :s,
                                       'iiat', (payload->>'iiat')::bigint - :s)`,
        { s: seconds },
      ),
    });
  };

  const refresh = async (token: string): Promise<{ status: number; next: string }> => {
    const { status, body } = await tokenRequest(site, refreshForm(site.made.apps.web, token));
    return { status, next: String(body['refresh_token']) };
  };

  test('that lay for all but a minute of 30 days works, and its successor has 30 days again', async () => {
    const { refresh_token: token = '' } = await getTokens(site);
    expect(await secondsLeft(token)).toBeCloseTo(30 * DAY, -2);
    await lie(token, 30 * DAY - 60);
    const { status, next } = await refresh(token);
    expect(status).toBe(200);
    expect(await secondsLeft(next)).toBeCloseTo(30 * DAY, -2);
  });

  test('that lay for 30 days is refused, and is not active', async () => {
    const { refresh_token: token = '' } = await getTokens(site);
    await lie(token, 30 * DAY);
    expect((await refresh(token)).status).toBe(400);
    expect(await introspect(site, site.extra.sibling, token)).toEqual({ active: false });
  });

  test('whose family is nearly 90 days old has a successor that ends with the 90th', async () => {
    let { refresh_token: token = '' } = await getTokens(site);
    for (let i = 0; i < 3; i++) {
      await lie(token, 29 * DAY);
      const { status, next } = await refresh(token);
      expect(status).toBe(200);
      token = next;
    }
    expect(await secondsLeft(token)).toBeCloseTo(3 * DAY, -2); // 87 days are gone
    await lie(token, 3 * DAY);
    expect((await refresh(token)).status).toBe(400);
  });

  test('that twenty requests bring to both processes at once gets all of them one and the same pair', async () => {
    const { refresh_token: token = '' } = await getTokens(site);
    const form = refreshForm(site.made.apps.web, token);
    const before = await countChildren(token);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        requestAt(site.nodes[i % 2] as ServerProcess, '/oauth/token', { form }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await countChildren(token)).toBe(before + 1);
  }, 20_000);

  test('RFC 9449 §5: one that is bound to a key is repeated to a proof by that key alone; another ends nothing', async () => {
    const client = { ...site.made.apps.spa, clientSecret: '' };
    const key = await createDpopKey();
    const url = `${site.server.url}/oauth/token`;
    const by = async (who: DpopKey) => ({ DPoP: await who.prove({ method: 'POST', url }) });
    const { redemption } = await getCode(site, { client });
    const { body: first } = await tokenRequest(site, redemption, await by(key));
    const form = refreshForm(client, String(first['refresh_token']));

    const second = await tokenRequest(site, form, await by(key));
    expect(second.body['token_type']).toBe('DPoP');
    expect((await tokenRequest(site, form, await by(key))).body).toEqual(second.body);
    for (const headers of [{}, await by(await createDpopKey())]) {
      expect(await tokenRequest(site, form, headers)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    }
    const accessToken = String(second.body['access_token']);
    expect(await introspect(site, site.extra.sibling, accessToken)).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: key.jkt },
    });
    const refreshToken = String(second.body['refresh_token']);
    expect(await introspect(site, site.extra.sibling, refreshToken)).toMatchObject({
      active: true,
      cnf: { jkt: key.jkt },
    });
    const next = refreshForm(client, refreshToken);
    expect((await tokenRequest(site, next, await by(key))).status).toBe(200);
  }, 20_000);
});
