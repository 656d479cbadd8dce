import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadConfig } from '../../config/config.ts';
import type { Role } from '../../config/roles.ts';
import { createApp } from '../../src/app.ts';
import { type Bootstrapped, bootstrap } from '../../src/bootstrap.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { openServices, type Services } from '../../src/services.ts';
import { signIn } from '../accounts/support.ts';
import { freshDataDir } from '../support/databases.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

/** The service in this process, so that a test can look at its database and count its statements. */
export type Console = {
  url: string;
  services: Services;
  made: Bootstrapped;
  dataDir: string;
  /** The demo owner's browser, signed in. */
  owner: UserAgent;
  /** The paths of all pages' forms, of the whole service, as the router has them. */
  forms: string[];
  /** A path of the demo organization's console. */
  path(page: string, environment?: 'live' | 'test'): string;
  /** The browser of somebody new who belongs to the demo organization. */
  join(role: Role): Promise<UserAgent>;
  /** How many statements the work took. */
  statementsOf(work: () => Promise<unknown>): Promise<number>;
  /** The clock of the service goes on by so many minutes. */
  later(minutes: number): void;
  close(): Promise<void>;
};

export async function startConsole(env: Record<string, string> = {}): Promise<Console> {
  const { dataDir } = freshDataDir();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://localhost:${port}`;
  const config = loadConfig({ DATA_DIR: dataDir, API_URL: url, WEB_URL: url, ...env });
  const services = await openServices(config, createLogger('warn'));
  const made = await bootstrap(services);
  let laterMs = 0;
  const clock = () => new Date(Date.now() + laterMs);
  const app = createApp({ ...services, clock });
  const handle = app.callback();
  server.on('request', (req, res) => void handle(req, res));
  const { agent: owner } = await signIn({ url }, made.user);

  return {
    url,
    services,
    made,
    dataDir,
    owner,
    forms: app.middleware.flatMap(postsOf).filter((path) => !path.startsWith('/secret-scanning/')),
    path: (page, environment = 'live') => `/console/${made.organization.id}/${environment}${page}`,
    join: async (role) => {
      const other = await bootstrap(services, {
        email: `${role}-${Date.now()}@example.com`,
        organization: `Of the ${role}`,
      });
      await services.organizations.addMember({
        organizationId: made.organization.id,
        userId: other.user.id,
        role,
      });
      const { agent } = await signIn({ url }, other.user, createUserAgent(url));
      return agent;
    },
    statementsOf: async (work) => {
      let count = 0;
      const note = () => count++;
      const knex = services.database.sql();
      knex.on('query', note);
      await work();
      knex.off('query', note);
      return count;
    },
    later: (minutes) => {
      laterMs += minutes * 60_000;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await services.close();
    },
  };
}

/** Routers leave themselves on the middleware that they make. */
function postsOf(middleware: object): string[] {
  const { router } = middleware as { router?: { stack: { methods: string[]; path: string | RegExp }[] } };
  return (router?.stack ?? [])
    .filter(({ methods }) => methods.includes('POST'))
    .map(({ path }) => String(path));
}

/** What a page says, without its marks. */
export const textOf = (html: string): string =>
  html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
