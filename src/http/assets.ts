import type { Middleware } from 'koa';

export type Assets = ReadonlyMap<string, { body: Buffer; type: string; etag: string }>;

/** Styles and pictures, from memory. Their names hold a hash of their content, so caches may keep them for good. */
export function serveAssets(assets: Assets): Middleware {
  return async (ctx, next) => {
    const asset = assets.get(ctx.path);
    if (!asset || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
    ctx.etag = asset.etag;
    ctx.status = 200;
    ctx.type = asset.type;
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = asset.body;
  };
}
