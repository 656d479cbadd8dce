import Router from '@koa/router';
import type { Context } from 'koa';
import type { Csrf } from '../http/csrf.ts';
import { type RenderPage, seeOther } from '../http/page.ts';
import { withReturnTo } from '../http/return-to.ts';
import { AppError } from '../kernel/errors.ts';
import type { Invitations } from './manage-invitations.ts';

const PATH = '/account/invitations';

type Person = { id: string; email: string; name: string };

export type InvitationPageDeps = {
  invitations: Pick<Invitations, 'find' | 'accept'>;
  csrf: Csrf;
  renderPage: RenderPage;
  currentSession(ctx: Context): Promise<{ userId: string } | undefined>;
  /** Undefined when the person is gone or deactivated. */
  findAccount(id: string): Promise<Person | undefined>;
};

/** Where an invitation's link leads: it is shown to who is signed in, and accepted with a button. */
export function invitationRoutes({
  invitations,
  csrf,
  renderPage,
  currentSession,
  findAccount,
}: InvitationPageDeps): Router {
  const router = new Router();

  const currentPerson = async (ctx: Context): Promise<Person | undefined> => {
    const session = await currentSession(ctx);
    return session && findAccount(session.userId);
  };

  const refuseOther = (ctx: Context, person: Person): void =>
    renderPage(
      ctx,
      'message',
      {
        title: 'This invitation is for another address',
        tone: 'warning',
        paragraphs: [
          `You are signed in as ${person.email}, and the invitation was sent to another address.`,
          'Sign out, then open the link in the mail again and sign in, or sign up, with the address that it was sent to.',
        ],
        actions: [{ label: 'Sign out', url: '/logout' }],
      },
      { status: 403, signedInAs: person },
    );

  router.get(PATH, async (ctx) => {
    const { token } = ctx.query;
    if (typeof token !== 'string' || token === '') throw staleInvitation();
    const person = await currentPerson(ctx);
    if (!person) return signInFirst(ctx, token);
    const invitation = await invitations.find(token);
    if (!invitation) throw staleInvitation();
    if (invitation.email !== person.email) return refuseOther(ctx, person);
    renderPage(
      ctx,
      'invitation',
      { action: PATH, token, organization: invitation.organizationName, role: invitation.role },
      { signedInAs: person },
    );
  });

  router.post(PATH, async (ctx) => {
    const form = await csrf.readForm(ctx);
    const token = form.get('token');
    const person = await currentPerson(ctx);
    if (!person) return signInFirst(ctx, token);
    const accepted = await invitations.accept(token, person, ctx.ip);
    if (accepted.kind === 'stale') throw staleInvitation();
    if (accepted.kind === 'other_address') return refuseOther(ctx, person);
    renderPage(
      ctx,
      'message',
      {
        title: 'You have joined',
        tone: 'success',
        paragraphs: [`You now belong to ${accepted.organizationName}.`],
        actions: [{ label: 'Continue', url: '/' }],
      },
      { signedInAs: person },
    );
  });

  return router;
}

const signInFirst = (ctx: Context, token: string): void =>
  seeOther(ctx, withReturnTo('/login', `${PATH}?${new URLSearchParams({ token }).toString()}`));

const staleInvitation = (): AppError =>
  new AppError(
    'bad_request',
    'This invitation was used already, was withdrawn, has expired, or its link is not complete. Ask for a new one.',
  );
