import type { Bootstrapped } from '../../src/bootstrap.ts';
import type { Services } from '../../src/services.ts';
import { requestAt } from '../support/node-request.ts';
import { addPerson } from '../support/people.ts';
import { addApp, type Client } from '../support/prepare.ts';
import type { ServerProcess } from '../support/server-process.ts';
import type { Site } from '../support/site.ts';
import { credentialsOf } from './support.ts';

/** The apps that ask about tokens, each of another standing. */
export type Askers = {
  /** Of the demo organization, and never the one that a token was issued to. */
  sibling: Client;
  sandboxSibling: Client;
  stranger: Client;
  resourceServer: Client;
};

/** Adds them; stranger and resource server belong to an organization of their own. */
export async function addAskers(services: Services, made: Bootstrapped): Promise<Askers> {
  const owner = await addPerson(services, 'elsewhere@example.com', []);
  const other = await services.createOrganization({ name: 'Another', ownerId: owner.id });
  const service = (fields: Parameters<typeof addApp>[2]) =>
    addApp(services, made, { kind: 'service', scopes: ['prompts:read'], ...fields });
  const resourceServer = await service({ organizationId: other.id });
  await services.markResourceServer(resourceServer.clientId, true);
  return {
    sibling: await service({}),
    sandboxSibling: await service({ environment: 'test' }),
    stranger: await service({ organizationId: other.id }),
    resourceServer,
  };
}

export type Answered = { status: number; headers: Headers; text: string; body: Record<string, unknown> };

/** Posts about a token to an endpoint of the first site, or of the `server` given, and reads the answer, whatever it is. */
export async function ask(
  { server }: Pick<Site, 'server'>,
  path: '/oauth/introspect' | '/oauth/revoke',
  client: Pick<Client, 'clientId' | 'clientSecret'>,
  token: string,
  more: Record<string, string> = {},
): Promise<Answered> {
  const response = await fetch(new URL(path, server.url), {
    method: 'POST',
    body: new URLSearchParams({ token, ...credentialsOf(client), ...more }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

export const introspect = async (
  site: Pick<Site, 'server'>,
  client: Pick<Client, 'clientId' | 'clientSecret'>,
  token: string,
  more?: Record<string, string>,
): Promise<Record<string, unknown>> => (await ask(site, '/oauth/introspect', client, token, more)).body;

/** Whether each of the processes takes the token for active, asked by the resource server. */
export const activityAt = (
  nodes: readonly ServerProcess[],
  client: Client,
  token: string,
): Promise<unknown[]> =>
  Promise.all(
    nodes.map(async (node) => {
      const form = { ...credentialsOf(client), token };
      return (await requestAt(node, '/oauth/introspect', { form })).body['active'];
    }),
  );

/** What one process changed is known to the others within it. */
export const oneSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_000));
