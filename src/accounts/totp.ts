import { Secret as OtpSecret, TOTP } from 'otpauth';
import { encodeQR } from 'qr';

// RFC 6238 with the values that every authenticator app takes, whatever its QR code says.
const PERIOD_SECONDS = 30;
const DIGITS = 6;
const SECRET_BYTES = 20;
/** Codes of one step before and one after are taken too: clocks differ, and people type (RFC 6238 §5.2). */
const WINDOW = 1;

/** A new secret, in base 32. */
export const newTotpSecret = (): string => new OtpSecret({ size: SECRET_BYTES }).base32;

const totp = (secret: string, label: string): TOTP =>
  new TOTP({
    issuer: 'PromptReports',
    label,
    algorithm: 'SHA1',
    digits: DIGITS,
    period: PERIOD_SECONDS,
    secret: OtpSecret.fromBase32(secret),
  });

/** What an app needs to be set up: the secret to type, and the same as a picture to scan (a data: URL). */
export function totpSetup(secret: string, email: string): { typed: string; picture: string } {
  const svg = encodeQR(totp(secret, email).toString(), 'svg', { border: 2 });
  return {
    typed: secret.replace(/.{4}(?=.)/g, '$& '),
    picture: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`,
  };
}

/** The time step that this is the code of; undefined for none near `now`. Doesn't look whether it was used before. */
export function totpStep(secret: string, code: string, now: Date): number | undefined {
  const delta = totp(secret, '').validate({ token: code, timestamp: now.getTime(), window: WINDOW });
  return delta === null ? undefined : Math.floor(now.getTime() / 1000 / PERIOD_SECONDS) + delta;
}
