import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../config/config.ts';
import { createApp } from '../../src/app.ts';
import { type Bootstrapped, bootstrap } from '../../src/bootstrap.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { openServices, type Services } from '../../src/services.ts';
import { freshDataDir } from '../support/databases.ts';
import { addPerson } from '../support/people.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { credentialsOf, getCode, refreshForm, tokenRequest } from './support.ts';

/** The service in this process, so that its statements can be counted. */
describe('What a token costs on a warm process, in statements', () => {
  let services: Services;
  let server: Server;
  let made: Bootstrapped;
  let site: { server: { url: string }; made: Bootstrapped; userAgent: UserAgent };

  beforeAll(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://localhost:${(server.address() as AddressInfo).port}`;
    const config = loadConfig({ DATA_DIR: freshDataDir().dataDir, API_URL: url });
    services = await openServices(config, createLogger('warn'));
    made = await bootstrap(services);
    const handle = createApp(services).callback();
    server.on('request', (req, res) => void handle(req, res));
    site = { server: { url }, made, userAgent: createUserAgent(url) };
  }, 60_000);
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await services.close();
  });

  /** The statements of the work, in order. */
  async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
    const statements: string[] = [];
    const note = ({ sql }: { sql: string }): void => {
      statements.push(sql.replaceAll(/\s+/g, ' ').trim());
    };
    const knex = services.database.sql();
    knex.on('query', note);
    await work();
    knex.off('query', note);
    return statements;
  }

  const own = (client: Pick<Client, 'clientId' | 'clientSecret'> = made.apps.service) =>
    tokenRequest(site, { grant_type: 'client_credentials', ...credentialsOf(client) });

  test('client credentials: none, for more apps than the library itself would keep', async () => {
    const owner = await addPerson(services, 'many@example.com', []);
    const { id: organizationId } = await services.createOrganization({ name: 'Many', ownerId: owner.id });
    const clients: Client[] = [];
    for (let i = 0; i < 100; i++) {
      clients.push(await addApp(services, made, { kind: 'service', organizationId }));
    }
    clients.push({ ...made.apps.service, redirectUris: [] });
    for (const client of clients) expect((await own(client)).status).toBe(200);
    expect(
      await statementsOf(async () => {
        for (const client of clients) await own(client);
      }),
    ).toEqual([]);
  }, 60_000);

  test('a change of the app is seen at the next request, also one that this process did not make', async () => {
    const client = await addApp(services, made, {
      kind: 'service',
      scopes: ['prompts:read', 'reports:read'],
    });
    expect((await own(client)).body['scope']).toBe('prompts:read reports:read');
    await services.database
      .sql()('apps')
      .where({ id: client.clientId })
      .update({ scopes: ['prompts:read'] });
    expect((await own(client)).body['scope']).toBe('prompts:read');
    await services.database.sql()('app_secrets').where({ app_id: client.clientId }).delete();
    expect((await own(client)).body['error']).toBe('invalid_client');
  });

  /** Without the marks of the transaction. */
  const counted = (statements: readonly string[]): string[] =>
    statements.filter((statement) => !/^(BEGIN|COMMIT)/.test(statement));

  test('a refresh with rotation: at most 4; a whole code flow without questions: at most 12', async () => {
    const { redemption: first } = await getCode(site); // signs in and allows
    expect((await tokenRequest(site, first)).status).toBe(200);

    const answers: Awaited<ReturnType<typeof tokenRequest>>[] = [];
    const flow = await statementsOf(async () => {
      const { redemption } = await getCode(site);
      answers.push(await tokenRequest(site, redemption));
    });
    expect(counted(flow).length).toBeLessThanOrEqual(12);

    const refresh = await statementsOf(async () => {
      answers.push(
        await tokenRequest(site, refreshForm(made.apps.web, String(answers[0]?.body['refresh_token']))),
      );
    });
    expect(counted(refresh).length).toBeLessThanOrEqual(4);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});
