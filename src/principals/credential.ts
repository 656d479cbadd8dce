import { AppError } from '../kernel/errors.ts';
import { rawHeaderValues } from '../kernel/raw-headers.ts';

/** What `readCredential` looks at. */
export type CredentialSource = {
  /** Node's flat list of names and values: `headers` keeps only the first of several Authorization headers. */
  rawHeaders: readonly string[];
  /** As it stands in the URL, without the question mark. */
  query: string;
  /** From a form, where the endpoint takes one there (RFC 6750 §2.2). */
  formToken?: string | undefined;
};

// RFC 6750 §2.3's name, and those that people try.
const CREDENTIAL_NAMES = new Set([
  'access_token',
  'accesstoken',
  'api_key',
  'apikey',
  'api-key',
  'authorization',
  'bearer',
  'token',
  'refresh_token',
  'client_secret',
  'id_token',
]);

// Ours, and any JWT.
const CREDENTIAL_SHAPES = /\b(?:pr_(?:live|test)_|rt_)[0-9A-Za-z]{16,}|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/;

const isCredential = (name: string, value: string): boolean =>
  CREDENTIAL_NAMES.has(name.toLowerCase()) || CREDENTIAL_SHAPES.test(value) || CREDENTIAL_SHAPES.test(name);

const countCredentials = (parameters: URLSearchParams): number =>
  [...parameters].filter(([name, value]) => isCredential(name, value)).length;

export type PresentedCredential = { scheme: 'bearer' | 'dpop'; credential: string };

/**
 * The one credential of a request (RFC 6750 §2.1, RFC 9449 §7.1). Throws 400 when there are several or when one stands in the
 * query, where logs and referrers keep it; 401 when there is none, or another scheme. Does NOT say whether it is valid.
 */
export function readCredential({ rawHeaders, query, formToken }: CredentialSource): PresentedCredential {
  const headers = rawHeaderValues(rawHeaders, 'authorization');
  const inQuery = query === '' ? 0 : countCredentials(new URLSearchParams(query));
  if (headers.length + inQuery + (formToken ? 1 : 0) > 1) throw multipleCredentials();
  if (inQuery > 0) throw misplacedCredential('query');

  if (formToken) return { scheme: 'bearer', credential: formToken };
  const [header] = headers;
  if (header === undefined || header.trim() === '') throw missingCredential();
  const [, scheme = '', rest = ''] = /^(\S+)(?:\s+(.*))?$/.exec(header.trim()) ?? [];
  const known = scheme.toLowerCase();
  if ((known !== 'bearer' && known !== 'dpop') || rest === '') throw missingCredential();
  if (/,|\s/.test(rest)) throw multipleCredentials();
  return { scheme: known, credential: rest };
}

/**
 * Throws 400 when a form or JSON body carries a credential (RFC 6750 §2.2), by a name that means one. Values are left
 * alone, since a prompt may well talk about keys. `declared`: the body members that the route itself knows;
 * `inHeader`: whether there is one in the header already.
 */
export function refuseCredentialInBody(
  names: Iterable<string>,
  { declared = new Set(), inHeader }: { declared?: ReadonlySet<string>; inHeader: boolean },
): void {
  for (const name of names) {
    if (!CREDENTIAL_NAMES.has(name.toLowerCase()) || declared.has(name)) continue;
    throw inHeader ? multipleCredentials() : misplacedCredential('body');
  }
}

const missingCredential = (): AppError =>
  new AppError(
    'missing_credential',
    'Send an API key or access token: "Authorization: Bearer <credential>".',
  );

const multipleCredentials = (): AppError =>
  new AppError(
    'multiple_credentials',
    'The request carries more than one credential. Send one, in the Authorization header.',
  );

const misplacedCredential = (where: 'query' | 'body'): AppError =>
  new AppError(
    'credential_in_url',
    where === 'query'
      ? 'A credential in a URL ends up in logs and histories: replace it, and send it in the Authorization header.'
      : 'Send the credential in the Authorization header, not in the body.',
  );
