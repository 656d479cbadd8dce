import type { RecordAudit } from '../audit/event.ts';
import type { AttemptLimit } from '../kernel/attempts.ts';
import { isMailbox, normalizeEmail } from '../kernel/email.ts';
import { AppError } from '../kernel/errors.ts';
import { issueSecret, sha256 } from '../kernel/secret.ts';
import { nameFault } from './accounts.ts';
import { addressInUseMail, changeEmailMail, noticeMail, type SendMail } from './mail.ts';
import { hashPassword, passwordFault, verifyPassword } from './password.ts';
import type { User, UserStore } from './user.ts';

const CHANGE_EMAIL_SECONDS = 24 * 3600;

export type ProfileDeps = {
  webUrl: string;
  users: UserStore;
  endSessionsOf(userId: string): Promise<void>;
  /** Ends what the person allowed apps, and every token under it. */
  endGrants(of: { userId: string }): Promise<unknown>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  sendMail: SendMail;
  /** By recipient, as for every mail that somebody can make us send. */
  recipientLimit: AttemptLimit;
  /** Guesses at the present password, by person. */
  passwordLimit: AttemptLimit;
  inBackground(work: () => Promise<void>): void;
};

export type Profile = ReturnType<typeof createProfile>;

/**
 * What people change of their own account. That they signed in just now is seen to by the pages; here is what holds
 * wherever it is called from. Each method gives what is wrong with what was typed, and undefined when it is done.
 */
export function createProfile(deps: ProfileDeps) {
  const { users, transaction, audit } = deps;

  const record = (
    type: 'user.updated' | 'user.password_changed' | 'user.email_changed',
    user: Pick<User, 'id'>,
    ip: string,
    data: Record<string, unknown> = {},
  ) => audit({ type, actor: { type: 'user', id: user.id }, targetId: user.id, ip, data });

  return {
    rename: async (user: User, typed: string, ip: string): Promise<string | undefined> => {
      const fault = nameFault(typed);
      const name = typed.trim();
      if (fault || name === user.name) return fault;
      await transaction(async () => {
        await users.setName(user.id, name);
        await record('user.updated', user, ip, { fields: ['name'] });
      });
      return undefined;
    },

    /** Needs the present password; ends every session (the caller starts its own anew) and all that apps hold. Tells the owner by mail. */
    changePassword: async (
      user: User,
      { present, next }: { present: string; next: string },
      ip: string,
    ): Promise<{ present?: string; next?: string } | undefined> => {
      const { allowed, retryAfterSeconds } = await deps.passwordLimit.attempt(user.id);
      if (!allowed) {
        throw new AppError('rate_limited', 'Too many attempts. Try again later.', { retryAfterSeconds });
      }
      if (!(await verifyPassword(user.passwordHash, present))) {
        return { present: 'This is not your present password.' };
      }
      await deps.passwordLimit.reset(user.id);
      const fault = next === present ? 'This is your present password.' : passwordFault(next, user);
      if (fault) return { next: fault };
      const passwordHash = await hashPassword(next);
      await transaction(async () => {
        await users.setPassword(user.id, passwordHash);
        await users.dropEmailTokens(user.id, 'reset_password');
        await deps.endSessionsOf(user.id);
        await deps.endGrants({ userId: user.id });
        await record('user.password_changed', user, ip);
      });
      deps.inBackground(() =>
        deps.sendMail({
          to: user.email,
          ...noticeMail({ name: user.name, what: 'the password of your PromptReports account was changed' }),
        }),
      );
      return undefined;
    },

    /** Mails a link to the new address and a notice to the present one. The answer is the same when it is somebody's. */
    requestEmailChange: async (user: User, typed: string): Promise<string | undefined> => {
      const email = normalizeEmail(typed);
      if (!isMailbox(email)) return 'Enter an e-mail address, such as name@example.com.';
      if (email === user.email) return 'This is your present address.';
      deps.inBackground(async () => {
        if (!(await deps.recipientLimit.attempt(email)).allowed) return;
        const owner = await users.findByEmail(email);
        if (owner) return deps.sendMail({ to: email, ...addressInUseMail(owner) });
        const token = issueSecret('mail_');
        await transaction(() =>
          users.putEmailToken({
            hash: sha256(token.reveal()),
            userId: user.id,
            purpose: 'change_email',
            ttlSeconds: CHANGE_EMAIL_SECONDS,
            newEmail: email,
          }),
        );
        const url = new URL('/account/email/confirm', deps.webUrl);
        url.searchParams.set('token', token.reveal());
        await deps.sendMail({ to: email, ...changeEmailMail({ url: url.href, name: user.name }) });
      });
      deps.inBackground(async () => {
        if (!(await deps.recipientLimit.attempt(user.email)).allowed) return;
        const subject = 'Somebody asked to change the address of your account';
        const what = `somebody who is signed in to your PromptReports account asked to change its address to ${email}`;
        await deps.sendMail({ to: user.email, ...noticeMail({ name: user.name, subject, what }) });
      });
      return undefined;
    },

    /**
     * Spends the link. False when it is unknown, spent or expired, or when the address became another's since. Links that
     * were mailed to the earlier address are void: whoever reads it can do nothing with the account any more.
     */
    confirmEmailChange: async (token: string, ip: string): Promise<boolean> => {
      const changed = await transaction(async () => {
        const change = await users.takeEmailChange(sha256(token));
        const user = change && (await users.find(change.userId));
        if (!user || user.deactivatedAt || !(await users.changeEmail(user.id, change.newEmail)))
          return undefined;
        await users.dropEmailTokens(user.id, 'reset_password');
        await users.dropEmailTokens(user.id, 'confirm_email');
        await record('user.email_changed', user, ip, { from: user.email, to: change.newEmail });
        return { user, newEmail: change.newEmail };
      });
      if (!changed) return false;
      const { user, newEmail } = changed;
      const what = `the address of your PromptReports account was changed to ${newEmail}`;
      const remedy = 'write at once to who runs this site: with the new address somebody else can sign in';
      deps.inBackground(() =>
        deps.sendMail({ to: user.email, ...noticeMail({ name: user.name, what, remedy }) }),
      );
      return true;
    },
  };
}
