import type { ScopeGroup } from './forms.ts';

/** Trying an app. */
export type TryPages = {
  'console/try': TryPage;
  'console/try-code': TryCodePage;
  'console/try-token': TryTokenPage;
};

type TryPage = {
  app: string;
  appUrl: string;
  isService: boolean;
  action: string;
  redirectUri: string;
  /** Adds the redirect URI to the app; undefined where it has it, or needs none. */
  registerAction: string | undefined;
  scopes: readonly ScopeGroup[];
  /** What can't be shown of this app. */
  cannot: string | undefined;
  error: string | undefined;
  notice: string | undefined;
};

type Parameter = { name: string; value: string };

type TryCodePage = {
  app: string;
  appUrl: string;
  againUrl: string;
  sent: readonly Parameter[];
  came: readonly Parameter[];
  checks: readonly { label: string; good: boolean }[];
  /** Absent where there is no code to redeem. */
  exchange: { action: string; code: string } | undefined;
};

type TryTokenPage = {
  app: string;
  appUrl: string;
  againUrl: string;
  isService: boolean;
  request: string;
  status: number;
  answer: string;
  /** Laid out as JSON; undefined when there was none. */
  token: { value: string; header: string; claims: string } | undefined;
  curl: string | undefined;
};
