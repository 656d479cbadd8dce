import type { Middleware } from 'koa';
import type { Config } from '../../config/config.ts';
import { AppError } from '../kernel/errors.ts';
import { addHeader } from './answer.ts';
import { isApiRequest, placeOf } from './places.ts';

const ONE_YEAR_SECONDS = 31_536_000;

/**
 * In production nothing is answered over plain HTTP but the probes. The API refuses: a redirect would hide that the
 * credential has already crossed the network in the clear. Pages redirect. Secure answers tell browsers to stay (RFC 6797).
 * Development is exempt, since its URLs are plain HTTP. Runs after `checkRequest`.
 */
export function httpsOnly(config: Pick<Config, 'production' | 'apiUrl' | 'webUrl'>): Middleware {
  return (ctx, next) => {
    const place = placeOf(ctx.path);
    if (ctx.secure) {
      if (config.production) addHeader(ctx, 'Strict-Transport-Security', `max-age=${ONE_YEAR_SECONDS}`);
    } else if (config.production && place !== 'both') {
      if (isApiRequest(place, ctx.state.serves)) {
        throw new AppError(
          'https_required',
          `Use ${config.apiUrl}. The credential of this request crossed the network in the clear: replace it.`,
        );
      }
      ctx.status = 308;
      ctx.set('Location', config.webUrl + ctx.originalUrl);
      return Promise.resolve();
    }
    return next();
  };
}
