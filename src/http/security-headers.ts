import type { Context } from 'koa';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' https: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** What every answer carries, error pages too. */
export const SECURITY_HEADERS = Object.entries({
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'same-origin', // no-referrer would make browsers send "Origin: null" with our own forms
  'Cross-Origin-Opener-Policy': 'same-origin',
}).flat();

/**
 * Lets the forms of this page end at the app that asked: Chromium applies form-action to the redirects that
 * follow a form too. `redirectUri`: http(s) gives its origin, a private scheme gives the scheme.
 */
export function allowFormTarget(ctx: Context, redirectUri: string): void {
  const url = URL.parse(redirectUri);
  if (!url) return;
  const web = url.protocol === 'https:' || url.protocol === 'http:';
  const before = ctx.response.get('Content-Security-Policy') || POLICY; // the library adds the hash of its script
  const target = web ? url.origin : url.protocol;
  ctx.set('Content-Security-Policy', before.replace(/form-action [^;]*/, `form-action 'self' ${target}`));
}
