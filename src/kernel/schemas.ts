import { z } from 'zod';
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

/** As in answers: ISO 8601 in UTC, with milliseconds. */
export const timestamp = z.iso.datetime();
