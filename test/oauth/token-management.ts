import { request } from 'node:http';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import type { Services } from '../../src/services.ts';
import { freePort } from '../support/free-port.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import type { Site } from '../support/site.ts';
import { addApp, addPerson, type Client, credentialsOf, type PreparedSite, tokenRequest } from './support.ts';

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

/** An access token of an app that acts for itself. */
export async function ownToken(
  site: Pick<Site, 'server'>,
  client: Pick<Client, 'clientId' | 'clientSecret'>,
  scope?: string,
): Promise<string> {
  const { body } = await tokenRequest(site, {
    grant_type: 'client_credentials',
    ...credentialsOf(client),
    ...(scope === undefined ? {} : { scope }),
  });
  return String(body['access_token']);
}

/** Another process on the same database, for the same origin. */
export async function startSecondNode(site: PreparedSite<unknown>): Promise<ServerProcess> {
  return startServer({ ...site.env, API_URL: site.server.url, PORT: String(await freePort()) });
}

/**
 * A request to one process of an origin, as a load balancer makes it: `Host` names the origin, the port the process. A form
 * is posted, JSON is sent by `method`.
 */
export function requestAt(
  node: ServerProcess,
  path: string,
  {
    credential,
    form,
    json,
    method = form || json ? 'POST' : 'GET',
  }: { credential?: string; form?: Record<string, string>; json?: object; method?: string } = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const content = form ? new URLSearchParams(form).toString() : json ? JSON.stringify(json) : undefined;
  const headers = {
    Host: new URL(node.url).host,
    ...(credential ? { Authorization: `Bearer ${credential}` } : {}),
    ...(content === undefined
      ? {}
      : {
          'Content-Type': form ? 'application/x-www-form-urlencoded' : 'application/json',
          'Content-Length': String(Buffer.byteLength(content)),
        }),
  };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: node.port, path, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        resolve({ status: response.statusCode ?? 0, body: text ? JSON.parse(text) : {} });
      });
    });
    sent.on('error', reject);
    sent.end(content);
  });
}
