import type { KoaContextWithOIDC } from 'oidc-provider';
import type { RenderPage } from '../http/page.ts';
import { allowFormTarget } from '../http/security-headers.ts';
import { httpsOnly } from './consent-page.ts';

/** What the library keeps in the session between the question and its answer. */
type LogoutState = { secret: string; postLogoutRedirectUri?: string | undefined };

/**
 * OpenID Connect RP-Initiated Logout 1.0: an app sends a person here to be signed out. They are asked first, always: a link
 * on any page could lead here. The library checks the app, the hint and the exact URI to return to, and ties the
 * form to this browser's session.
 */
export function rpInitiatedLogout(renderPage: RenderPage) {
  return {
    enabled: true as const,
    logoutSource: (ctx: KoaContextWithOIDC): void => {
      const { client, session } = ctx.oidc;
      const { secret, postLogoutRedirectUri } = (session as unknown as { state: LogoutState }).state;
      if (postLogoutRedirectUri) allowFormTarget(ctx, postLogoutRedirectUri);
      renderPage(ctx, 'logout-confirm', {
        action: '/oauth/logout/confirm',
        fields: { xsrf: secret },
        app: client && { name: client.clientName ?? client.clientId, logoUrl: httpsOnly(client.logoUri) },
      });
    },
    postLogoutSuccessSource: async (ctx: KoaContextWithOIDC): Promise<void> => {
      const signedIn = (await ctx.oidc.provider.Session.get(ctx)).accountId !== undefined;
      renderPage(
        ctx,
        'message',
        signedIn
          ? {
              title: 'You are still signed in',
              tone: 'info',
              paragraphs: ['Nothing was changed in this browser.'],
            }
          : {
              title: 'You are signed out',
              tone: 'success',
              paragraphs: ['Apps that you allowed keep their access until you withdraw it.'],
              actions: [{ label: 'Sign in again', url: '/login' }],
            },
      );
    },
  };
}
