import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWith } from '../support/needs.ts';
import { type Asked, requestAt } from '../support/node-request.ts';
import { addPerson, type Person } from '../support/people.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { startTwoNodes, type TwoNodes } from '../support/prepared-site.ts';
import type { ServerProcess } from '../support/server-process.ts';
import type { TokenAnswer } from '../support/site.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { getCode, getTokens, refreshForm } from './support.ts';

const AT_ONCE = 50;

type Answer = { status: number; body: TokenAnswer & { error?: string; code?: string } };

const ask = (node: ServerProcess, path: string, what: Asked) => requestAt<Answer['body']>(node, path, what);

const refusal = ({ status, body }: Answer): string => `${status} ${body.error ?? body.code ?? ''}`;

/** What the API says to the token once the news has reached the process: within a second, as the contract has it. */
async function refusalAt(node: ServerProcess, { access_token: credential }: TokenAnswer): Promise<string> {
  const until = Date.now() + 1_000;
  let answer = await ask(node, '/v1/me', { credential });
  while (answer.status === 200 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    answer = await ask(node, '/v1/me', { credential });
  }
  return refusal(answer);
}

/** All at once, by turns to each node. */
async function race(nodes: ServerProcess[], form: Record<string, string>) {
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, i) =>
      ask(nodes[i % nodes.length] as ServerProcess, '/oauth/token', { form }),
    ),
  );
  return {
    won: answers.filter(({ status }) => status === 200).map(({ body }) => body),
    lost: new Set(answers.filter(({ status }) => status !== 200).map(refusal)),
  };
}

describeWith('postgresql', 'Two servers on one database', () => {
  let site: TwoNodes<{ other: Client; ada: Person }>;
  let web: Client;
  const sql = () => site.services.database.sql();

  beforeAll(async () => {
    site = await startTwoNodes(async (services, made) => ({
      other: await addApp(services, made, { name: 'Second app' }),
      ada: await addPerson(services, 'ada@example.com', [
        { organizationId: made.organization.id, role: 'owner' },
      ]),
    }));
    web = site.made.apps.web;
  }, 90_000);

  afterAll(() => site?.stop());

  beforeEach(async () => {
    await sql()('grants').delete();
  });

  const replaysOf = (grantId: string): Promise<unknown[]> =>
    sql()('audit_events').where({ type: 'token.replayed', target_id: grantId });

  const grantOf = async (person: { id: string }, app: Client): Promise<string> => {
    const where = { user_id: person.id, app_id: app.clientId };
    return (await sql()('grants').where(where).first<{ id: string }>('id')).id;
  };

  const refresh = (tokens: TokenAnswer, client = web) =>
    ask(site.nodes[1], '/oauth/token', { form: refreshForm(client, tokens.refresh_token) });

  /** The refresh token no longer works, the access token on neither node, and the log says why, once. */
  const expectRevoked = async (tokens: TokenAnswer, grantId: string) => {
    for (const node of site.nodes) {
      expect(await refusalAt(node, tokens)).toBe('401 credential_revoked');
    }
    expect(refusal(await refresh(tokens))).toBe('400 invalid_grant');
    expect(await replaysOf(grantId)).toHaveLength(1);
    expect(await sql()('oauth_records').where({ grant_id: grantId })).toEqual([]);
  };

  const expectAlive = async (tokens: TokenAnswer, client = web) => {
    expect((await ask(site.nodes[0], '/v1/me', { credential: tokens.access_token })).status).toBe(200);
    expect((await refresh(tokens, client)).status).toBe(200);
  };

  test('RFC 6749 §4.1.2: of 50 redemptions of one code at once exactly one gets tokens, which the replay revokes', async () => {
    const { redemption } = await getCode(site);
    const grantId = await grantOf(site.made.user, web);
    const { won, lost } = await race(site.nodes, redemption);
    expect(won).toHaveLength(1);
    expect(lost).toEqual(new Set(['400 invalid_grant']));
    await expectRevoked(won[0] as TokenAnswer, grantId);
  }, 60_000);

  test('RFC 9700 §4.14.2: of 50 uses of one refresh token at once exactly one gets tokens, and the family is revoked', async () => {
    const first = await getTokens(site);
    const grantId = await grantOf(site.made.user, web);
    const { won, lost } = await race(site.nodes, refreshForm(web, first.refresh_token));
    expect(won).toHaveLength(1);
    expect(lost).toEqual(new Set(['400 invalid_grant']));
    await expectRevoked(won[0] as TokenAnswer, grantId);
    expect(await refusalAt(site.server, first)).toBe('401 credential_revoked');
  }, 60_000);

  test('RFC 6749 §4.1.2: a code that is replayed later, at another node, revokes what it gave', async () => {
    const { redemption } = await getCode(site);
    const grantId = await grantOf(site.made.user, web);
    const { body: tokens } = await ask(site.nodes[0], '/oauth/token', { form: redemption });
    const { body: child } = await refresh(tokens);
    const replay = await ask(site.nodes[1], '/oauth/token', { form: redemption });
    expect(refusal(replay)).toBe('400 invalid_grant');
    await expectRevoked(child, grantId);
  });

  test('RFC 9700 §4.14.2: a refresh token that is replayed after its children were used revokes all of them', async () => {
    const first = await getTokens(site);
    const grantId = await grantOf(site.made.user, web);
    const { body: second } = await refresh(first);
    const { body: third } = await refresh(second);
    expect(refusal(await refresh(first))).toBe('400 invalid_grant');
    await expectRevoked(third, grantId);
    expect(await replaysOf(grantId)).toEqual([
      expect.objectContaining({ organization_id: site.made.organization.id, actor_id: web.clientId }),
    ]);
  });

  test('a replay revokes neither the families of another person nor those of another app', async () => {
    const ofAda = await getTokens(site, {
      agent: createUserAgent(site.server.url),
      person: site.extra.ada,
    });
    const ofOtherApp = await getTokens(site, { client: site.extra.other });
    const first = await getTokens(site);
    await refresh(first);
    expect(refusal(await refresh(first))).toBe('400 invalid_grant');
    await expectAlive(ofAda);
    await expectAlive(ofOtherApp, site.extra.other);
  });

  test('a person and an app have one grant: a replay ends the access from all browsers of that person, and nothing else does', async () => {
    const atHome = await getTokens(site);
    const atWork = await getTokens(site, { agent: createUserAgent(site.server.url) });
    await expectAlive(atHome);
    await expectAlive(atWork);
    const grantId = await grantOf(site.made.user, web);
    expect(refusal(await refresh(atHome))).toBe('400 invalid_grant'); // `expectAlive` has used it
    await expectRevoked(atWork, grantId);
  });

  test('a spent code in the hands of somebody without its verifier, or without the secret, revokes nothing', async () => {
    const { redemption } = await getCode(site);
    const { body: tokens } = await ask(site.server, '/oauth/token', { form: redemption });
    const attempts = [
      { ...redemption, code_verifier: 'x'.repeat(43) },
      { ...redemption, client_secret: site.made.apps.service.clientSecret },
      { ...redemption, client_id: site.extra.other.clientId, client_secret: site.extra.other.clientSecret },
    ];
    for (const form of attempts) {
      expect((await ask(site.server, '/oauth/token', { form })).status).toBeGreaterThanOrEqual(400);
    }
    await expectAlive(tokens);
  });

  test('consent given anew after a replay does not bring the revoked tokens back to life', async () => {
    const stolen = await getTokens(site);
    await refresh(stolen);
    expect(refusal(await refresh(stolen))).toBe('400 invalid_grant');
    const fresh = await getTokens(site);
    await expectAlive(fresh);
    expect(await refusalAt(site.server, stolen)).toBe('401 credential_revoked');
    expect(refusal(await refresh(stolen))).toBe('400 invalid_grant');
  });

  test('a refresh of another family at the same moment as a replay is either answered or refused, never an error', async () => {
    const stolen = await getTokens(site);
    const { body: current } = await refresh(stolen);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        ask(site.nodes[i % 2] as ServerProcess, '/oauth/token', {
          form: refreshForm(web, i % 2 ? stolen.refresh_token : current.refresh_token),
        }),
      ),
    );
    for (const answer of answers) expect([200, 400]).toContain(answer.status);
    const grants = await sql()('grants').where({ user_id: site.made.user.id, app_id: web.clientId });
    expect(grants).toEqual([]);
  });
});
