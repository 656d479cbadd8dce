import Router from '@koa/router';
import type { RenderPage } from '../http/page.ts';
import { ERRORS, type ErrorCode, notFound } from '../kernel/errors.ts';
import { ERROR_GUIDE } from './error-guide.ts';

/** The documentation pages: where to start, and the pages that an error's `type` leads to. */
export function docsRoutes({
  renderPage,
  apiUrl,
  webUrl,
}: {
  renderPage: RenderPage;
  apiUrl: string;
  webUrl: string;
}): Router {
  const router = new Router();

  router.get('/docs', (ctx) =>
    renderPage(ctx, 'message', {
      title: 'API documentation',
      tone: 'info',
      paragraphs: [
        `The API lives at ${apiUrl}/v1. Send "Authorization: Bearer" with an API key or an access token.`,
        `OAuth clients find every endpoint by discovery at ${apiUrl}/.well-known/oauth-authorization-server.`,
      ],
      actions: [
        { label: 'OpenAPI document', url: `${apiUrl}/openapi.json` },
        { label: 'OAuth metadata', url: `${apiUrl}/.well-known/oauth-authorization-server` },
      ],
    }),
  );

  router.get('/docs/errors/:code', (ctx) => {
    const code = ctx.params['code'] as string;
    if (!Object.hasOwn(ERRORS, code)) throw notFound();
    const { status, title } = ERRORS[code as ErrorCode];
    const { meaning, whatToDo } = ERROR_GUIDE[code as ErrorCode];
    const example = {
      type: `${webUrl}/docs/errors/${code}`,
      title,
      status,
      detail: meaning,
      code,
      requestId: 'req_01k9zq7m3w8x0000000000000',
    };
    renderPage(ctx, 'error-doc', {
      code,
      status,
      title,
      meaning,
      whatToDo: [whatToDo],
      example: JSON.stringify(example, null, 2),
      docsUrl: '/docs',
    });
  });
  return router;
}
