import { createHash, randomBytes } from 'node:crypto';
import Router from '@koa/router';
import { Redis } from 'ioredis';
import knexFactory from 'knex';
import Koa from 'koa';
import { RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';

/**
 * What one would write first from the same libraries: a SELECT for the key, three calls for the three windows, and two
 * writes, of the key's last use and of the request, all of it on the request's path.
 */
const knex = knexFactory({
  client: 'pg',
  connection: process.env['DATABASE_URL'] ?? '',
  pool: { min: 10, max: 10 },
});
const redis = new Redis(process.env['REDIS_URL'] ?? '');
const limiterOf = (duration: number) =>
  new RateLimiterRedis({ storeClient: redis, keyPrefix: `naive:${duration}`, points: 100_000_000, duration });
const limiters = [limiterOf(1), limiterOf(60), limiterOf(86_400)];

await knex.raw(
  'CREATE TABLE IF NOT EXISTS naive_requests (id bigserial, key_id text, path text, at timestamptz)',
);

const app = new Koa();
const router = new Router();
router.get('/v1/me', async (ctx) => {
  const key = ctx.get('Authorization').slice('Bearer '.length);
  const hash = createHash('sha256').update(key).digest();
  const row = await knex('api_keys')
    .where({ key_hash: hash })
    .whereNull('revoked_at')
    .first<{ id: string; organization_id: string } | undefined>();
  if (!row) return ctx.throw(401);
  const remaining: RateLimiterRes[] = [];
  for (const limiter of limiters) remaining.push(await limiter.consume(row.organization_id));
  ctx.set('X-RateLimit-Remaining', String(remaining[1]?.remainingPoints));
  await knex('api_key_uses')
    .insert({ api_key_id: row.id, last_used_at: new Date(), last_used_ip: ctx.ip })
    .onConflict('api_key_id')
    .merge();
  await knex('naive_requests').insert({ key_id: row.id, path: ctx.path, at: new Date() });
  ctx.body = { object: 'principal', id: row.id, method: 'api_key', request: randomBytes(8).toString('hex') };
});
app.use(router.routes());
app.listen(Number(process.env['PORT']), '127.0.0.1');
