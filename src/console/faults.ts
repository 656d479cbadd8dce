import { AppError } from '../kernel/errors.ts';

/** What a form comes back with: a message for the whole, and messages for its fields by their paths. */
export type Faults = { status: number; notice: string | undefined; fields: Record<string, string> };

/** What the person who filled in the form can do something about. Everything else is an error page. */
const MENDABLE = new Set([
  'validation_failed',
  'conflict',
  'insufficient_scope',
  'forbidden',
  'rate_limited',
]);

/**
 * Does what a form asks for. A refusal that its sender can mend comes back as faults, to be shown beside what was typed.
 * `known`: the fields of the form; a fault of anything else is told for the whole.
 */
export async function attempt<T>(
  known: readonly string[],
  work: () => Promise<T>,
): Promise<{ done: T; faults?: undefined } | { done?: undefined; faults: Faults }> {
  try {
    return { done: await work() };
  } catch (error) {
    if (!(error instanceof AppError) || !MENDABLE.has(error.code)) throw error;
    return { faults: faultsOf(error, known) };
  }
}

/** `errors` of the API, as somebody at a form reads them: an item of a list is a line of its field. Pure. */
function faultsOf({ status, detail, extras }: AppError, known: readonly string[]): Faults {
  const fields: Record<string, string> = {};
  const rest: string[] = [];
  for (const { path, message } of extras.errors ?? []) {
    const [, list, index] = /^(.+)\.(\d+)$/.exec(path) ?? [];
    const field = list !== undefined && known.includes(list) ? list : path;
    const text =
      index === undefined || field === path ? sentence(message) : `Line ${Number(index) + 1} ${message}.`;
    if (!known.includes(field)) rest.push(`${path}: ${message}.`);
    else fields[field] = fields[field] === undefined ? text : `${fields[field]} ${text}`;
  }
  const notice = extras.errors === undefined ? detail : rest.length > 0 ? rest.join(' ') : undefined;
  return { status, notice, fields };
}

/** "must be one line" → "Must be one line." */
const sentence = (message: string): string =>
  `${message.charAt(0).toUpperCase()}${message.slice(1)}${message.endsWith('.') ? '' : '.'}`;

/** The lines of a text area, without blank ones. */
export const linesOf = (text: string): string[] =>
  text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter(Boolean);
