import Router from '@koa/router';
import { z } from 'zod';
import { parseJson, readText, requireJson } from '../http/body.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import { isSignedBy, KeysUnavailableError, type PublishedKeys } from './github.ts';
import type { ReportLeak } from './report.ts';

const RETRY_AFTER_SECONDS = 60;

const report = z
  .array(
    z.object({
      token: z.string().max(1_000),
      type: z.string().max(200).default(''),
      url: z.string().max(2_000).nullish(),
    }),
  )
  .max(1_000);

/**
 * GitHub's secret scanning partner program: secrets of ours that it found. Without `keys` there is no such path.
 *
 * @see https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
 */
export function secretScanningRoutes(deps: {
  keys: PublishedKeys | undefined;
  reportLeak: ReportLeak;
}): Router {
  const { keys, reportLeak } = deps;
  const router = new Router();
  router.post('/secret-scanning/report', async (ctx) => {
    if (!keys) throw notFound();
    requireJson(ctx);
    const identifier = ctx.get('Github-Public-Key-Identifier');
    const signature = ctx.get('Github-Public-Key-Signature');
    if (identifier === '' || signature === '') {
      throw new AppError('bad_request', 'A report is signed: the headers that say how are missing.');
    }
    const body = await readText(ctx);
    const key = await keys(identifier).catch((error: unknown) => {
      if (!(error instanceof KeysUnavailableError)) throw error;
      throw new AppError(
        'unavailable',
        'The keys that reports are checked by can not be had now.',
        { retryAfterSeconds: RETRY_AFTER_SECONDS },
        { cause: error },
      );
    });
    if (!key || !isSignedBy(key, body, signature)) {
      throw new AppError('forbidden', 'The signature is not by the key that is published under that name.');
    }
    const parsed = report.safeParse(parseJson(body));
    if (!parsed.success) throw new AppError('bad_request', 'The body is no list of tokens.');

    const answer = [];
    for (const { token, type, url } of parsed.data) {
      const isOurs = await reportLeak({ token, url: url ?? undefined });
      answer.push({
        token_raw: token,
        token_type: type,
        label: isOurs ? 'true_positive' : 'false_positive',
      });
    }
    ctx.set('Cache-Control', 'no-store');
    ctx.body = answer;
  });
  return router;
}
