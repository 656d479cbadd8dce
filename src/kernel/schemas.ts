import { z } from 'zod';
import { isNetwork } from './addresses.ts';
import { type IdPrefix, isId } from './ids.ts';

/** An id with that prefix. In a path, what isn't one is 404. */
export const idOf = (prefix: IdPrefix) =>
  z
    .string()
    .refine((value) => isId(prefix, value), `must be an id that starts with ${prefix}_`)
    .meta({ example: `${prefix}_01hzy3v7k0a4s9d8f7g6h5j4k3`.slice(0, prefix.length + 27) });

/** A text of so many characters (code points, as PostgreSQL and JSON Schema count them). */
export const text = (fewest: number, most: number) =>
  z
    .string()
    .refine((value) => {
      const length = Array.from(value).length;
      return length >= fewest && length <= most;
    }, `must have ${fewest} to ${most} characters`)
    .meta({ minLength: fewest, maxLength: most });

/** What something is called: one line that isn't blank, since it stands in lists, mails and on consent pages. */
export const displayName = text(1, 100).refine(
  (value) => value.trim() !== '' && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value),
  'must be one line, and not blank',
);

/** Addresses and ranges that something may be used from; empty for any. */
export const networkList = z
  .array(z.string().refine(isNetwork, 'must be an IPv4 or IPv6 address or CIDR range'))
  .max(100);

/** A text of at most so many bytes in UTF-8. */
export const textOfBytes = (most: number) =>
  z
    .string()
    .refine((value) => Buffer.byteLength(value) <= most, `must be at most ${most} bytes in UTF-8`)
    .meta({ description: `At most ${most} bytes in UTF-8.` });

/** Up to 20 pairs of strings, for the caller's own use. */
export const metadata = z
  .record(z.string().min(1).max(40), z.string().max(500))
  .refine((pairs) => Object.keys(pairs).length <= 20, 'must have at most 20 members')
  .meta({ maxProperties: 20, description: 'Names of 1 to 40 characters, values of up to 500.' });

/** A JSON object of the caller's own, of at most so many bytes as JSON. */
export const jsonObject = (mostBytes: number) =>
  z
    .record(z.string(), z.unknown())
    .refine((value) => fitsAsJson(value, mostBytes), `must be at most ${mostBytes} bytes of JSON`)
    .refine(holdsOnlyFiniteNumbers, 'holds a number that is too large')
    .meta({ description: `At most ${mostBytes} bytes of JSON.` });

/** A list of so many JSON objects, together of at most so many bytes as JSON. */
export const jsonObjects = (most: number, mostBytes: number) =>
  z
    .array(z.unknown())
    .superRefine((items, context) => {
      if (items.length > most) return context.addIssue(`must have at most ${most} items`);
      items.forEach((item, index) => {
        if (!isJsonObject(item))
          context.addIssue({ code: 'custom', path: [index], message: 'must be an object' });
      });
      if (!fitsAsJson(items, mostBytes)) context.addIssue(`must be at most ${mostBytes} bytes of JSON`);
      if (!holdsOnlyFiniteNumbers(items)) context.addIssue('holds a number that is too large');
    })
    .transform((items) => items as Record<string, unknown>[])
    .meta({ maxItems: most, items: { type: 'object' }, description: `At most ${mostBytes} bytes of JSON.` });

const isJsonObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of what will be kept, which may be more than what was sent: 1e20 becomes 21 digits. */
const fitsAsJson = (value: unknown, mostBytes: number): boolean =>
  Buffer.byteLength(JSON.stringify(value)) <= mostBytes;

/** JSON.parse reads 1e999 as Infinity, which would be kept as null. */
const holdsOnlyFiniteNumbers = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value !== 'object' || value === null || Object.values(value).every(holdsOnlyFiniteNumbers);

/** As in answers: ISO 8601 in UTC, with milliseconds. */
export const timestamp = z.iso.datetime();
