import { hash, verify } from '@node-rs/argon2';

// OWASP's figures for argon2id: 19 MiB, two passes, one lane. It runs off the event loop.
const OPTIONS = {
  algorithm: 2 /* Algorithm.Argon2id, a const enum */,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
} as const;

const MIN_PASSWORD_LENGTH = 12;
/** More is not safer, and hashing megabytes is an attack. */
const MAX_PASSWORD_LENGTH = 256;

/** argon2id with a random salt, in PHC format. */
export const hashPassword = (password: string): Promise<string> => hash(password.normalize('NFKC'), OPTIONS);

let decoy: Promise<string> | undefined;

/**
 * Whether the password is the one that was hashed. Without a hash (there is no such account) it does the same
 * work on a decoy and says no, so that the time doesn't tell which addresses exist.
 */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  decoy ??= hashPassword(`decoy ${Math.random()}`);
  const known = passwordHash ?? (await decoy);
  const matches = await verify(known, password.slice(0, MAX_PASSWORD_LENGTH + 1).normalize('NFKC'));
  return passwordHash !== undefined && matches;
}

/** What is wrong with a new password, in a sentence for the person; undefined when nothing is (NIST SP 800-63B §5.1.1). */
export function passwordFault(password: string, about: { email: string; name: string }): string | undefined {
  if (password.length < MIN_PASSWORD_LENGTH) return `Use at least ${MIN_PASSWORD_LENGTH} characters.`;
  if (password.length > MAX_PASSWORD_LENGTH) return `Use at most ${MAX_PASSWORD_LENGTH} characters.`;
  if (new Set(password.toLowerCase()).size < 5)
    return 'Use more different characters: this one is easy to guess.';
  const lower = password.toLowerCase();
  const own = [about.email.split('@')[0] ?? '', about.name, 'promptreports'].map((part) =>
    part.trim().toLowerCase(),
  );
  if (own.some((part) => part.length >= 4 && lower.replaceAll(part, '').length < 6)) {
    return 'Use something other than your name or address: this one is easy to guess.';
  }
  return undefined;
}
