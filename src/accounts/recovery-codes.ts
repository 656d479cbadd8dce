import { randomInt } from 'node:crypto';

const CODES = 10;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford's base 32: no i, l, o, u to misread
const LENGTH = 10; // 50 bits: guesses are limited, and the hash of them is keyed

/** Ten codes to write down, as "abcde-fghjk". */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: CODES }, () => {
    let code = '';
    for (let i = 0; i < LENGTH; i++) code += ALPHABET[randomInt(ALPHABET.length)];
    return `${code.slice(0, 5)}-${code.slice(5)}`;
  });
}

/** The form in which codes are hashed: as Crockford has it, whatever a person makes of what they wrote down. */
export const normalizeRecoveryCode = (typed: string): string =>
  typed.toLowerCase().replace(/[-\s]/g, '').replace(/o/g, '0').replace(/[il]/g, '1');
