import type { Context } from 'koa';
import { ADVERTISED_SCOPES } from './provider.ts';

/** For the metadata documents: each endpoint on its own origin, whatever host the document was asked for at; and the scopes of the API. */
export function placeEndpoints(ctx: Context, webUrl: string, more: Readonly<Record<string, unknown>>): void {
  const document = ctx.body as Record<string, unknown> | undefined;
  if (ctx.status !== 200 || !document) return;
  const onWeb = (name: string): object => {
    const url = document[name];
    return typeof url === 'string' ? { [name]: webUrl + new URL(url).pathname } : {};
  };
  const methods = [document['token_endpoint_auth_methods_supported']].flat().map(String);
  ctx.body = {
    ...document,
    ...onWeb('authorization_endpoint'),
    ...onWeb('end_session_endpoint'),
    ...more,
    // RFC 8414 §2. A public app may revoke its own tokens, and introspect none.
    revocation_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    scopes_supported: ADVERTISED_SCOPES,
  };
  ctx.set('Cache-Control', 'public, max-age=300');
  ctx.set('Access-Control-Allow-Origin', '*');
}
