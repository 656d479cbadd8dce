import Router from '@koa/router';
import Koa from 'koa';

/** What all is compared with: Koa and one route, nothing else. */
const app = new Koa();
const router = new Router();
router.get('/v1/me', (ctx) => {
  ctx.body = { object: 'principal', id: 'key_1', method: 'api_key' };
});
app.use(router.routes());
app.listen(Number(process.env['PORT']), '127.0.0.1');
