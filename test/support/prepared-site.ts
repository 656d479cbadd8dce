import { randomBytes } from 'node:crypto';
import { loadConfig } from '../../config/config.ts';
import { type Bootstrapped, bootstrap } from '../../src/bootstrap.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { openServices, type Services } from '../../src/services.ts';
import { freshDataDir, freshPostgres } from './databases.ts';
import { AMPLE } from './limits.ts';
import { type ServerProcess, startSecondNode, startServer } from './server-process.ts';
import type { Site } from './site.ts';
import { createUserAgent } from './user-agent.ts';

/** A site in which `prepare` has made more than bootstrap does. */
export type PreparedSite<Extra> = Site & {
  extra: Extra;
  /** What the server was started with: start another one with it for a second node. */
  env: Record<string, string>;
  /** A connection beside the server's, for what no page or endpoint can do. PostgreSQL only. */
  services: Services;
};

/** `embedded` closes its database before the server opens it, so that `services` is of no use afterwards. */
export async function startPreparedSite<Extra>(
  database: 'postgresql' | 'embedded',
  prepare: (services: Services, made: Bootstrapped) => Promise<Extra>,
  extraEnv: Record<string, string> = {},
): Promise<PreparedSite<Extra>> {
  const { dataDir, remove } = freshDataDir();
  const fresh = database === 'postgresql' ? await freshPostgres() : undefined;
  const env = {
    LOG_LEVEL: 'warn',
    DATA_DIR: dataDir,
    SECRET_KEY: randomBytes(32).toString('base64'),
    REFRESH_GRACE_SECONDS: '0',
    ...(fresh ? { DATABASE_URL: fresh.databaseUrl } : {}),
    ...extraEnv,
  };
  const services = await openServices(loadConfig(env), createLogger('warn'));
  const made = await bootstrap(services, AMPLE);
  const extra = await prepare(services, made);
  if (!fresh) await services.close();
  const server = await startServer(env);
  return {
    server,
    made,
    extra,
    env,
    services,
    userAgent: createUserAgent(server.url),
    stop: async () => {
      await server.stop();
      if (fresh) {
        await services.close();
        await fresh.drop();
      }
      remove();
    },
  };
}

/** A site on PostgreSQL that two processes serve; `stop` stops both. */
export type TwoNodes<Extra> = PreparedSite<Extra> & { nodes: [ServerProcess, ServerProcess] };

export async function startTwoNodes<Extra>(
  prepare: (services: Services, made: Bootstrapped) => Promise<Extra>,
  extraEnv: Record<string, string> = {},
): Promise<TwoNodes<Extra>> {
  const site = await startPreparedSite('postgresql', prepare, extraEnv);
  const second = await startSecondNode(site);
  return {
    ...site,
    nodes: [site.server, second],
    stop: async () => {
      await second.stop();
      await site.stop();
    },
  };
}
