/**
 * What the ids in an organization's own records (people, apps, keys) are called, in one statement however many there
 * are. Ids that are gone or absent are undefined.
 */
export type NamesOf = (
  ids: readonly (string | null | undefined)[],
) => Promise<(id: string | null | undefined) => string | undefined>;
