import type { RecordAudit } from '../audit/event.ts';
import type { AttemptLimit } from '../kernel/attempts.ts';
import { isMailbox, normalizeEmail } from '../kernel/email.ts';
import { newId } from '../kernel/ids.ts';
import { issueSecret, type Secret, sha256 } from '../kernel/secret.ts';
import { alreadyRegisteredMail, confirmMail, resetMail, type SendMail } from './mail.ts';
import { hashPassword, passwordFault } from './password.ts';
import type { EmailTokenPurpose, User, UserStore } from './user.ts';

const CONFIRM_SECONDS = 24 * 3600;
const RESET_SECONDS = 3600;
const EMAIL_TOKEN_PREFIX = 'mail_';

export type AccountsDeps = {
  webUrl: string;
  users: UserStore;
  /** Makes an organization and its first owner. */
  createOrganization(organization: { name: string; ownerId: string; ip: string }): Promise<void>;
  endSessionsOf(userId: string): Promise<void>;
  /** Ends what the person allowed apps, and every token under it. */
  endGrants(of: { userId: string }): Promise<unknown>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  sendMail: SendMail;
  /** By recipient: nobody's mailbox is filled through us, from however many networks. */
  recipientLimit: AttemptLimit;
  /** Runs what an answer need not wait for; whether there is mail to send must not show in its time. */
  inBackground(work: () => Promise<void>): void;
};

export type SignUp = {
  name: string;
  email: string;
  password: string;
  organization: string;
  returnTo: string;
  ip: string;
};

export type SignUpFaults = Partial<Record<'name' | 'email' | 'password' | 'organization', string>>;

/** What is wrong with a person's name; undefined when nothing is. */
export function nameFault(name: string): string | undefined {
  if (name.trim().length === 0) return 'Enter your name.';
  if (/[\p{Cc}\p{Zl}\p{Zp}]|:\/\/|www\./iu.test(name)) {
    return 'Use a name without links and line breaks.'; // it stands in mails to strangers
  }
  return name.trim().length > 100 ? 'Use at most 100 characters.' : undefined;
}

/** What is wrong with a sign-up form; empty when nothing is. Doesn't look whether the address is taken. */
export function signUpFaults({
  name,
  email,
  password,
  organization,
}: Omit<SignUp, 'returnTo' | 'ip'>): SignUpFaults {
  const faults: SignUpFaults = {};
  const unusable = nameFault(name);
  if (unusable) faults.name = unusable;
  if (!isMailbox(normalizeEmail(email))) {
    faults.email = 'Enter an e-mail address, such as name@example.com.';
  }
  const weak = passwordFault(password, { email, name });
  if (weak) faults.password = weak;
  if (organization.trim().length > 100) faults.organization = 'Use at most 100 characters.';
  return faults;
}

export type Accounts = ReturnType<typeof createAccounts>;

/** Sign-up, confirmation and password reset. The answers never tell whether an address has an account. */
export function createAccounts(deps: AccountsDeps) {
  const { users, transaction, audit } = deps;

  const mailLink = async (
    user: Pick<User, 'id' | 'email' | 'name'>,
    purpose: EmailTokenPurpose,
    mail: typeof confirmMail,
    returnTo: string,
  ): Promise<void> => {
    if (!(await deps.recipientLimit.attempt(user.email)).allowed) return;
    const token = issueSecret(EMAIL_TOKEN_PREFIX);
    const ttlSeconds = purpose === 'confirm_email' ? CONFIRM_SECONDS : RESET_SECONDS;
    await transaction(() =>
      users.putEmailToken({ hash: sha256(token.reveal()), userId: user.id, purpose, ttlSeconds }),
    );
    const url = linkTo(deps.webUrl, purpose, token, returnTo);
    await deps.sendMail({ to: user.email, ...mail({ url, name: user.name }) });
  };

  return {
    /** Makes an unconfirmed account with an organization of its own and mails the link; or tells the owner by mail. */
    signUp: async (form: SignUp): Promise<void> => {
      const email = normalizeEmail(form.email);
      const name = form.name.trim();
      const passwordHash = await hashPassword(form.password); // also when the address is taken: the time is the same
      const id = newId('usr');
      const created = await transaction(async () => {
        if (!(await users.insert({ id, email, name, passwordHash }))) return false;
        const organization = form.organization.trim() || `${name}'s organization`.slice(0, 100);
        await deps.createOrganization({ name: organization, ownerId: id, ip: form.ip });
        await audit({ type: 'user.signed_up', actor: { type: 'user', id }, targetId: id, ip: form.ip });
        return true;
      });
      deps.inBackground(async () => {
        if (created) return mailLink({ id, email, name }, 'confirm_email', confirmMail, form.returnTo);
        const owner = await users.findByEmail(email);
        if (!owner) return;
        // Also where the address was never confirmed: whoever signed up first chose that password, and need not be its
        // owner. The link lets the owner choose one, and confirms the address by that; the earlier link is void.
        if (!owner.emailConfirmedAt) await users.dropEmailTokens(owner.id, 'confirm_email');
        await mailLink(owner, 'reset_password', alreadyRegisteredMail, form.returnTo);
      });
    },

    /** Mails the confirmation link again, to somebody who has just shown the right password. */
    resendConfirmation: (user: User, returnTo: string): void => {
      deps.inBackground(() => mailLink(user, 'confirm_email', confirmMail, returnTo));
    },

    /** Spends the link. False when it is unknown, spent or expired. */
    confirmEmail: (token: string, ip: string): Promise<boolean> =>
      transaction(async () => {
        const userId = await users.takeEmailToken(sha256(token), 'confirm_email');
        if (!userId) return false;
        if (await users.confirmEmail(userId)) {
          await audit({
            type: 'user.email_confirmed',
            actor: { type: 'user', id: userId },
            targetId: userId,
            ip,
          });
        }
        return true;
      }),

    /** Mails a link to the owner of the address, if there is one. Same answer, same time otherwise. */
    requestPasswordReset: (email: string, returnTo: string): void => {
      deps.inBackground(async () => {
        const user = await users.findByEmail(normalizeEmail(email));
        if (user && !user.deactivatedAt) await mailLink(user, 'reset_password', resetMail, returnTo);
      });
    },

    /** Whether a reset link still works, without spending it. */
    canResetPassword: async (token: string): Promise<boolean> =>
      (await users.peekEmailToken(sha256(token), 'reset_password')) !== undefined,

    /**
     * Spends the link, sets the password, and ends every session of the person and all that apps hold for them: whoever
     * knew the old password may have let one in. The link came by mail, so the
     * address counts as confirmed. A weak password spends nothing.
     */
    resetPassword: async (
      token: string,
      password: string,
      ip: string,
    ): Promise<{ fault?: string; done: boolean }> => {
      const userId = await users.peekEmailToken(sha256(token), 'reset_password');
      const user = userId ? await users.find(userId) : undefined;
      if (!user || user.deactivatedAt) return { done: false };
      const fault = passwordFault(password, user);
      if (fault) return { fault, done: false };
      const passwordHash = await hashPassword(password);
      return transaction(async () => {
        if ((await users.takeEmailToken(sha256(token), 'reset_password')) !== user.id) return { done: false };
        await users.setPassword(user.id, passwordHash);
        await users.confirmEmail(user.id);
        await deps.endSessionsOf(user.id);
        await deps.endGrants({ userId: user.id });
        await audit({
          type: 'user.password_reset',
          actor: { type: 'user', id: user.id },
          targetId: user.id,
          ip,
        });
        return { done: true };
      });
    },
  };
}

function linkTo(webUrl: string, purpose: EmailTokenPurpose, token: Secret, returnTo: string): string {
  const url = new URL(purpose === 'confirm_email' ? '/confirm-email' : '/reset-password', webUrl);
  url.searchParams.set('token', token.reveal());
  if (returnTo) url.searchParams.set('returnTo', returnTo);
  return url.href;
}
