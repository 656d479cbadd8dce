import type { Server } from 'node:http';
import { type Config, ConfigError, loadConfig } from '../config/config.ts';
import { createApp } from './app.ts';
import { type Bootstrapped, bootstrap, describeBootstrap } from './bootstrap.ts';
import { createPatientServer } from './http/patient-server.ts';
import { giveBackMemory } from './kernel/give-back-memory.ts';
import { createLogger, type Logger } from './kernel/log.ts';
import { createMetricsServer } from './metrics/serve.ts';
import { openServices, type Services } from './services.ts';

const DRAIN_TIMEOUT_MS = 10_000;
const SWEEP_INTERVAL_MS = 60_000;
/** The most of last uses and of usage that a crash may lose. */
const FLUSH_INTERVAL_MS = 1_000;

/**
 * Runs the server until it is told to stop (SIGTERM, SIGINT): settings, adapters, app, listen, drain.
 * Exits with 1, and one message in words, when it can't start.
 */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  let config: Config;
  let services: Services;
  let logger: Logger;
  let made: Bootstrapped | undefined;
  try {
    config = loadConfig(env);
    logger = createLogger(config.logLevel);
    services = await openServices(config, logger);
    made = await makeSomethingToTry(services);
    await services.recountDay();
  } catch (error) {
    process.stderr.write(`${startFailure(error)}\n`);
    process.exitCode = 1;
    return;
  }

  const handle = createApp(services).callback();
  giveBackMemory();
  const { server, drain } = createPatientServer((req, res) => void handle(req, res));
  const metricsServer = config.metricsPort === undefined ? undefined : createMetricsServer(services.metrics);
  try {
    await listen(server, config);
    if (metricsServer && config.metricsPort !== undefined)
      await listen(metricsServer, { host: config.host, port: config.metricsPort });
  } catch (error) {
    if (made) process.stdout.write(describeBootstrap(made, config)); // it is shown once: not lost with the start
    process.stderr.write(`${startFailure(error)}\n`);
    process.exitCode = 1;
    server.close();
    await services.close();
    return;
  }
  const { background, stopping } = services;
  const sweep = () => background.run(() => services.sweep(stopping.signal));
  const sweeping = setInterval(sweep, SWEEP_INTERVAL_MS).unref();
  const flushing = setInterval(() => background.run(services.flushUses), FLUSH_INTERVAL_MS).unref();

  const deliveries = services.startDeliveries();
  const alerts = services.startAlerts();

  const advanceKeys = () => background.run(services.followSigningKeys);
  const rotating = setInterval(advanceKeys, keyIntervalMs(config)).unref();
  advanceKeys();

  logger.info({ apiUrl: config.apiUrl, webUrl: config.webUrl, database: services.database.kind }, 'ready');
  if (!config.production) process.stdout.write(welcome(config, made));

  const stop = (signal: NodeJS.Signals) => {
    process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
    logger.info({ signal }, 'stopping');
    stopping.abort();
    for (const timer of [sweeping, flushing, rotating]) clearInterval(timer);
    metricsServer?.close().closeAllConnections();
    const drained = drain({ lameMs: config.drainSeconds * 1000, forceMs: DRAIN_TIMEOUT_MS });
    Promise.all([drained, deliveries.stop(), alerts.stop()])
      .then(services.close)
      .catch((error: unknown) => logger.error({ err: error }, 'closing failed'));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

/** Often enough that no process serves an old JWKS for a quarter of the time for which it may be kept. */
const keyIntervalMs = ({ jwksCacheSeconds }: Config): number => Math.min(60_000, jwksCacheSeconds * 250);

function listen(server: Server, { port, host }: Pick<Config, 'port' | 'host'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** In development the first start on an empty database makes something to try. */
async function makeSomethingToTry(services: Services): Promise<Bootstrapped | undefined> {
  if (services.config.production || !(await services.organizations.isEmpty())) return undefined;
  return bootstrap(services);
}

/** For the person at the terminal, in development. */
function welcome(config: Config, made: Bootstrapped | undefined): string {
  const outbox = config.smtpUrl ? '' : `\n  Mail is not sent but written to ${config.dataDir}/outbox.`;
  const ready = `\n  PromptReports Auth is ready.\n\n    API    ${config.apiUrl}\n    Pages  ${config.webUrl}\n`;
  if (made) return ready + describeBootstrap(made, config);
  return `${ready}
  The login and the keys were printed at the first start. For a new set, stop the server and run
  npx promptreports-auth bootstrap; for a new password, go to ${config.webUrl}/forgot-password.${outbox}\n\n`;
}

function startFailure(error: unknown): string {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${address} is taken: stop what listens there, or set another port (PORT, METRICS_PORT).`;
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? `The server can't start: ${error.message}` : String(error);
}
