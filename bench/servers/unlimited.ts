import { createServer } from 'node:http';
import { loadConfig } from '../../config/config.ts';
import { createApp } from '../../src/app.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { openServices } from '../../src/services.ts';

/** Our whole application without its limits, usage and request log: what proving a credential costs by itself. */
const config = loadConfig(process.env);
const services = await openServices(config, createLogger('silent'));
const now = 1_767_225_600_000;
const decision = {
  allowed: true,
  nowMs: now,
  shown: { window: 'minute' as const, limit: 1, remaining: 1, resetAtMs: now },
  retryAfterSeconds: 0,
};
const app = createApp({
  ...services,
  limiter: { take: async () => decision, peek: async () => decision },
  usageMeter: { count: () => {}, flush: async () => {} },
});
process.on('SIGTERM', () => process.exit(0));
const handle = app.callback();
createServer((req, res) => void handle(req, res)).listen(config.port, config.host);
