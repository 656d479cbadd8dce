import Router from '@koa/router';
import type { Context } from 'koa';
import type { Role } from '../../config/roles.ts';
import type { Csrf } from '../http/csrf.ts';
import { type RenderPage, seeOther } from '../http/page.ts';
import { safeReturnTo, withReturnTo } from '../http/return-to.ts';
import type { SignInForm } from './sign-in-form.ts';
import type { User } from './user.ts';

export type AccountPageDeps = {
  apiUrl: string;
  signInForm: SignInForm;
  csrf: Csrf;
  renderPage: RenderPage;
  sessions: {
    current(ctx: Context): Promise<{ userId: string } | undefined>;
    start(ctx: Context, userId: string, methods: readonly string[]): Promise<void>;
    end(ctx: Context): Promise<void>;
  };
  findUser(id: string): Promise<User | undefined>;
  organizationsOf(
    userId: string,
  ): Promise<{ organizationId: string; organizationName: string; role: Role }[]>;
};

/** The pages of a person's way in and out: home, login, logout. */
export function accountRoutes(deps: AccountPageDeps): Router {
  const router = new Router();
  const { csrf, renderPage, signInForm, sessions } = deps;

  router.get('/', async (ctx) => {
    const session = await sessions.current(ctx);
    const found = session && (await deps.findUser(session.userId));
    const user = found?.deactivatedAt ? undefined : found;
    const organizations = user ? await deps.organizationsOf(user.id) : [];
    renderPage(
      ctx,
      'home',
      {
        apiUrl: deps.apiUrl,
        signInUrl: '/login',
        signUpUrl: '/signup',
        docsUrl: '/docs',
        organizations: organizations.map(({ organizationId, organizationName, role }) => ({
          name: organizationName,
          role,
          url: `/console/${organizationId}`,
        })),
      },
      user ? { signedInAs: { name: user.name, email: user.email } } : {},
    );
  });

  router.get('/login', async (ctx) => {
    const returnTo = returnToOf(ctx);
    await signInForm.show(ctx, { action: withReturnTo('/login', returnTo), returnTo });
  });

  router.post('/login', async (ctx) => {
    const returnTo = returnToOf(ctx);
    const signedIn = await signInForm.submit(ctx, { action: withReturnTo('/login', returnTo), returnTo });
    if (!signedIn) return;
    await sessions.start(ctx, signedIn.userId, signedIn.methods);
    seeOther(ctx, returnTo || '/');
  });

  router.get('/logout', (ctx) => renderPage(ctx, 'logout-confirm', { action: '/logout', cancelUrl: '/' }));

  router.post('/logout', async (ctx) => {
    await csrf.readForm(ctx);
    await sessions.end(ctx);
    renderPage(ctx, 'message', {
      title: 'You are signed out',
      tone: 'success',
      paragraphs: ['Apps that you allowed keep their access until you withdraw it.'],
      actions: [{ label: 'Sign in again', url: '/login' }],
    });
  });

  return router;
}

const returnToOf = (ctx: Context): string => safeReturnTo(ctx.query['returnTo']);
