import type { AppKind } from '../../config/app-kinds.ts';
import type { FieldError } from '../kernel/errors.ts';

const LONGEST = 2_000;
const MOST = 20;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** RFC 8252 §7.1: a domain of the developer's, in reverse; the dot keeps out javascript:, data:, file: and their like. */
const PRIVATE_USE = /^[a-z][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+:\//;

/** What is wrong with an app's redirect URIs, each fault with its path; empty when nothing is. */
export function redirectUriFaults(uris: readonly string[], kind: AppKind): FieldError[] {
  if (kind === 'service') {
    return uris.length === 0 ? [] : [{ path: 'redirectUris', message: 'must be empty for a service' }];
  }
  if (uris.length === 0) return [{ path: 'redirectUris', message: 'must name at least one URI' }];
  if (uris.length > MOST) return [{ path: 'redirectUris', message: `must name at most ${MOST} URIs` }];
  return uris.flatMap((uri, index) => {
    const message = uris.indexOf(uri) < index ? 'must name each URI once' : redirectUriFault(uri, kind);
    return message === undefined ? [] : [{ path: `redirectUris.${index}`, message }];
  });
}

/** The same for where people are sent after signing out. None is needed. */
export function logoutUriFaults(uris: readonly string[], kind: AppKind): FieldError[] {
  if (uris.length === 0) return [];
  return redirectUriFaults(uris, kind).map(({ path, message }) => ({
    path: path.replace('redirectUris', 'postLogoutRedirectUris'),
    message,
  }));
}

type RedirectKind = Exclude<AppKind, 'service'>;

/**
 * What is wrong with one redirect URI (RFC 9700 §2.1 and §4.1, RFC 8252 §7). It is compared as a string, so it has to
 * stand in the one spelling that every reader takes for the same address: that alone ends `/../`, `%2e%2e`, hosts in
 * octal and `https:\\host`.
 */
export function redirectUriFault(uri: string, kind: RedirectKind): string | undefined {
  if (uri.length > LONGEST) return `must have at most ${LONGEST} characters`;
  if (/[^\x21-\x7e]/.test(uri)) return 'must be ASCII, without spaces or control characters';
  if (/["<>\\^`{|}]/.test(uri)) return 'must hold only the characters that a URI may (RFC 3986 §2)';
  if (uri.includes('*')) return 'must not hold a wildcard';
  if (uri.includes('#')) return 'must not hold a fragment';
  if (/%(?![0-9a-f]{2})|%[01]|%7f/i.test(uri)) return 'must not hold control characters or broken escapes';
  const url = URL.parse(uri);
  if (!url) return 'must be an absolute URI';
  if (/^[^/?]*:\/\/[^/?]*@/.test(uri)) return 'must not hold a user name or password';
  if (url.href !== uri && url.href !== `${uri}/`) {
    return 'must be in its normal form: lower case scheme and host, no default port, no /../';
  }
  if (traverses(uri)) return 'must not hold . or .. in its path, nor an escaped slash or dot';
  return schemeFault(uri, url, kind);
}

function schemeFault(uri: string, url: URL, kind: RedirectKind): string | undefined {
  const isLoopback = LOOPBACK.has(url.hostname);
  if (uri.startsWith('https://')) {
    return kind === 'native' && isLoopback ? 'must be http on the loopback interface' : undefined;
  }
  if (uri.startsWith('http://')) {
    return isLoopback ? undefined : 'must be https, or http on localhost, 127.0.0.1 or [::1]';
  }
  if (kind !== 'native') return 'must be https, or http on localhost, 127.0.0.1 or [::1]';
  return PRIVATE_USE.test(uri)
    ? undefined
    : 'must be https, http on the loopback interface, or a scheme in reverse-domain form (com.example.app:/callback)';
}

/** `..;` too: some servers cut a segment at the semicolon. */
const traverses = (uri: string): boolean => {
  const path = uri.replace(/\?.*$/, '').replace(/^[^/]*(\/\/[^/]*)?/, '');
  return /%2e|%2f|%5c|%25/i.test(path) || /(^|\/)\.\.?(;|\/|$)/.test(path);
};
