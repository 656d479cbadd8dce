import type { AppKind } from '../config/app-kinds.ts';
import type { Environment } from '../config/environments.ts';
import type { Role } from '../config/roles.ts';
import type { Scope, ScopeLevel } from '../config/scopes.ts';
import type { AccountPages, PasskeyQuestion } from './account-pages.ts';
import type { ConsolePages } from './console-pages.ts';
import type { Frame } from './frame.ts';

/**
 * What each page needs, and so all that a template may print. Optional members take `undefined` too: callers
 * pass on what they have. Text is escaped by the templates; URLs of apps are shown only when they are https.
 */
export type Pages = AccountPages &
  ConsolePages & {
    login: LoginPage;
    signup: SignUpPage;
    message: MessagePage;
    'confirm-email': ConfirmEmailPage;
    invitation: InvitationPage;
    'forgot-password': ForgotPasswordPage;
    'reset-password': ResetPasswordPage;
    consent: ConsentPage;
    error: ErrorPage;
    home: HomePage;
    'error-doc': ErrorDocPage;
    'logout-confirm': LogoutConfirmPage;
    device: DevicePage;
    'device-confirm': DeviceConfirmPage;
  };

/** Given to every page. */
export type Shared = {
  /** Goes into every form as `_csrf`; undefined where none is needed or none can be made. */
  csrfToken: string | undefined;
  /** The site's own origin: where the logo leads, and the address that people are told to look for. */
  webUrl: string;
  signedInAs?: { name: string; email: string } | undefined;
  /** Around every page behind the sign-in (`signed-in.eta`), which then needs `signedInAs` too. */
  frame?: Frame | undefined;
};

/** The app that a person is on the way to. */
type AppOnPage = { name: string; logoUrl?: string | undefined };

type LoginPage = {
  action: string;
  /** Prefills the field; "" for none. */
  email: string;
  error?: string | undefined;
  notice?: string | undefined;
  app?: AppOnPage | undefined;
  /** Who is signed in and has to prove again that it is them. */
  again?: { email: string } | undefined;
  passkey: PasskeyQuestion;
  signUpUrl: string;
  forgotUrl: string;
};

type SignUpPage = {
  action: string;
  values: { name: string; email: string; organization: string };
  errors: Partial<Record<'name' | 'email' | 'password' | 'organization', string>>;
  loginUrl: string;
};

type MessagePage = {
  title: string;
  paragraphs: readonly string[];
  tone: 'info' | 'success' | 'warning';
  /** The first one is shown as a button. */
  actions?: readonly { label: string; url: string }[] | undefined;
};

type ConfirmEmailPage = { action: string; token: string; email?: string | undefined };

type InvitationPage = { action: string; token: string; organization: string; role: Role };

type ForgotPasswordPage = { action: string; email: string; error?: string | undefined; loginUrl: string };

type ResetPasswordPage = { action: string; token: string; error?: string | undefined };

type ConsentPage = {
  action: string;
  app: AppOnPage & {
    homepageUrl?: string | undefined;
    privacyUrl?: string | undefined;
    /** The organization that registered the app. Undefined: nobody did, and nobody has checked it. */
    developer: string | undefined;
    /** The host of its own metadata document, where it has one. */
    publishedAt?: string | undefined;
    environment: Environment;
    kind: AppKind;
  };
  /** Who gets the code: a host, or `scheme://` of a program on the person's device; "" for a device with a code of its own. */
  redirectHost: string;
  organizations: readonly { id: string; name: string; role: Role; selected: boolean }[];
  scopes: readonly ConsentScope[];
  /** The OpenID scopes asked for (openid, profile, email): shown, not to be chosen. */
  identity: readonly string[];
  account: { name: string; email: string };
  switchAccountUrl: string;
  error?: string | undefined;
};

type ConsentScope = {
  scope: Scope;
  description: string;
  level: ScopeLevel;
  checked: boolean;
  alreadyGranted: boolean;
  /** One name for each organization of the person's where their role can't give this scope. */
  lacking: readonly string[];
};

type ErrorPage = {
  status: number;
  title: string;
  detail: string;
  code: string;
  requestId: string;
  /** The way back; the start page when absent. */
  back?: { label: string; url: string } | undefined;
};

type HomePage = {
  apiUrl: string;
  signInUrl: string;
  signUpUrl: string;
  docsUrl: string;
  /** Of the signed-in person; not looked at otherwise. */
  organizations: readonly { name: string; role: Role; url: string }[];
};

type ErrorDocPage = {
  code: string;
  status: number;
  title: string;
  meaning: string;
  /** One step each. */
  whatToDo: readonly string[];
  /** The problem document, already laid out over several lines. */
  example: string;
  docsUrl: string;
};

type LogoutConfirmPage = {
  action: string;
  /** Further hidden fields, such as the OAuth library's `xsrf`. */
  fields?: Readonly<Record<string, string>> | undefined;
  /** The app that asked for it, in logout that an app starts (OpenID Connect RP-Initiated Logout). */
  app?: AppOnPage | undefined;
  /** Where "Stay signed in" leads; absent, it sends the form without `logout`, as the OAuth library wants it. */
  cancelUrl?: string | undefined;
};

type DevicePage = {
  action: string;
  /** Hidden fields: the OAuth library's `xsrf`. */
  fields: Readonly<Record<string, string>>;
  /** As it was entered, or came with the link; "" for none. */
  code: string;
  error?: string | undefined;
};

type DeviceConfirmPage = {
  action: string;
  fields: Readonly<Record<string, string>>;
  /** As the device shows it. */
  code: string;
  app: AppOnPage;
};
