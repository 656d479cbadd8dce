import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { allowFormTarget } from '../http/security-headers.ts';

/** With response_mode=form_post the answer is a page with a form to the app: our policy has to let it go there. */
export function letFormPostLeave(provider: Provider): void {
  const allow = (ctx: KoaContextWithOIDC): void => {
    const { redirect_uri: redirectUri, response_mode: mode } = ctx.oidc.params ?? {};
    if (mode === 'form_post' && typeof redirectUri === 'string') allowFormTarget(ctx, redirectUri);
  };
  provider.on('authorization.success', allow);
  provider.on('authorization.error', allow);
}
