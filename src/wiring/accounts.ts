import { createAccounts } from '../accounts/accounts.ts';
import { createPasskeys } from '../accounts/passkeys.ts';
import { createProfile } from '../accounts/profile.ts';
import { createSecondFactors } from '../accounts/second-factors.ts';
import { createSignIn } from '../accounts/sign-in.ts';
import { createSignInForm } from '../accounts/sign-in-form.ts';
import { createSignedInPages } from '../accounts/signed-in-pages.ts';
import type { Csrf } from '../http/csrf.ts';
import type { RenderPage } from '../http/page.ts';
import { networkOf } from '../kernel/network-of.ts';
import type { Sessions } from '../oauth/sessions.ts';
import type { Services } from '../services.ts';

export type PageParts = { csrf: Csrf; renderPage: RenderPage; sessions: Sessions };

/** What people do with their accounts, and the two ways in which pages ask who is there: the form, and the session. */
export function wireAccounts(services: Services, parts: PageParts & { secure: boolean }) {
  const { clock, sealer, transaction, audit, users, sendMail, endGrants, createAttemptLimit } = services;
  const { webUrl } = services.config;
  const { csrf, renderPage, sessions, secure } = parts;
  const endSessionsOf = services.sessionStore.endAll;
  const inBackground = services.background.run;

  const recipientLimit = createAttemptLimit({ name: 'mail-recipient', attempts: 5, windowSeconds: 3600 });
  const accounts = createAccounts({
    webUrl,
    users,
    createOrganization: async (organization) => {
      await services.createOrganization(organization);
    },
    endSessionsOf,
    endGrants,
    transaction,
    audit,
    sendMail,
    recipientLimit,
    inBackground,
  });
  const profile = createProfile({
    webUrl,
    users,
    endSessionsOf,
    endGrants,
    transaction,
    audit,
    sendMail,
    recipientLimit,
    passwordLimit: createAttemptLimit({ name: 'password-change', attempts: 10, windowSeconds: 900 }),
    inBackground,
  });
  const passkeys = createPasskeys({ webUrl, store: services.secondFactorStore, sealer, clock });
  const secondFactors = createSecondFactors({
    store: services.secondFactorStore,
    passkeys,
    endSessionsOf,
    sealer,
    createLimit: createAttemptLimit,
    transaction,
    audit,
    sendMail,
    inBackground,
    clock,
  });
  const signedInPages = createSignedInPages({
    currentSession: sessions.current,
    findUser: users.find,
    clock,
  });
  const signInForm = createSignInForm({
    renderPage,
    csrf,
    signIn: createSignIn({ users, createLimit: createAttemptLimit, networkOf }),
    accounts,
    findUser: users.find,
    secondFactors,
    passkeys,
    passkeyLimit: createAttemptLimit({ name: 'passkey-network', attempts: 60, windowSeconds: 900 }),
    networkOf,
    sealer,
    clock,
    secure,
  });
  return { accounts, profile, secondFactors, signedInPages, signInForm };
}
