/** Where a person may be sent after signing in: pages of ours that make sense to come back to. */
const DESTINATIONS = [
  /^\/$/,
  /^\/oauth\/(authorize|interaction|device)[/?]/,
  /^\/oauth\/device$/,
  /^\/(account|console)(\/|$|\?)/,
];

/** `path`, with where to go from there in its query; "" goes nowhere. */
export const withReturnTo = (path: string, returnTo: string): string =>
  returnTo === '' ? path : `${path}?${new URLSearchParams({ returnTo }).toString()}`;

/**
 * `value` when it is a path of this site that a person may be sent to, else "". Anything that a browser could
 * read as another site (`//evil`, `/\evil`, a scheme, control characters) is "".
 */
export function safeReturnTo(value: unknown): string {
  if (typeof value !== 'string' || value.length > 2_000 || !/^\/[\x21-\x5b\x5d-\x7e]*$/.test(value))
    return '';
  if (value.startsWith('//')) return '';
  const url = URL.parse(value, 'https://self.invalid');
  if (url?.origin !== 'https://self.invalid' || url.pathname + url.search !== value) return '';
  return DESTINATIONS.some((pattern) => pattern.test(value)) ? value : '';
}
