/** The form in which addresses are stored and compared. */
export const normalizeEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase();

/**
 * Whether a normalized address is one mailbox, in letters that no mailer reads as a name, a list or a comment beside it
 * (RFC 5322 §3.4). `localhost` is for development. Doesn't say whether there is such a mailbox.
 */
export const isMailbox = (email: string): boolean =>
  email.length <= 254 &&
  /^[^\s@<>()[\]\\,;:"\p{C}]+@(?:localhost|(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}\p{N}-]{2,})$/u.test(
    email,
  );
