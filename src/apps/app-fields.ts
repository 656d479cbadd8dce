import { z } from 'zod';
import { SECURITY_PROFILES } from '../../config/security-profiles.ts';
import { SIGNING_ALGORITHMS } from '../../config/signing-algorithms.ts';
import { jwksFault } from './jwks.ts';

/* The fields of an app as `/v1/apps` takes them. What depends on its kind is checked where it is registered or changed. */

export const redirectUris = z.array(z.string()).max(1_000).meta({
  description:
    'Exact URIs, at most 20. https; http on loopback; for native apps also com.example.app:/callback.',
});
export const link = z
  .string()
  .max(2_000)
  .refine(isHttpsUrl, 'must be an https URL')
  .nullable()
  .transform((url) => url ?? undefined);

export const jwks = z
  .looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) })
  .superRefine((value, issues) => {
    const message = jwksFault(value);
    if (message) issues.addIssue({ code: 'custom', message });
  })
  .nullable()
  .transform((value) => value ?? undefined)
  .meta({ description: 'Public keys (RFC 7517) with which the app proves itself: private_key_jwt.' });
export const jwksUri = z
  .string()
  .max(2_000)
  .nullable()
  .transform((url) => url ?? undefined)
  .meta({ description: 'Where those keys are, in place of jwks. https.' });

export const tokenSigningAlg = z
  .enum(SIGNING_ALGORITHMS)
  .meta({ description: 'What signs its access tokens and id_tokens.' });

export const securityProfile = z.enum(SECURITY_PROFILES).meta({
  description:
    'fapi2 holds the app to FAPI 2.0: it needs keys (jwks or jwksUri), pushes each request, and its tokens are bound by DPoP.',
});

/** Shown on the consent page, as links and an image: nothing that a browser could read otherwise. */
function isHttpsUrl(text: string): boolean {
  if (!text.startsWith('https://') || /[^\x21-\x7e]|["<>\\^`{|}]/.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.username === '' && url.password === '';
}
