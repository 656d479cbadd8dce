import { describe } from '@jest/globals';
import { type OpenDatabase, openFreshEmbedded, openFreshPostgres } from './databases.ts';
import { describeWith } from './needs.ts';
import { isAvailable } from './services.ts';

export const databases: { name: string; available: boolean; open: OpenDatabase }[] = [
  { name: 'PostgreSQL', available: isAvailable('postgresql'), open: openFreshPostgres },
  { name: 'embedded', available: true, open: openFreshEmbedded },
];

/** Runs the suite on PostgreSQL (left out where it is missing) and on the embedded database. */
export function describeEachDatabase(name: string, suite: (open: OpenDatabase) => void): void {
  describeWith('postgresql', `${name} on PostgreSQL`, () => suite(openFreshPostgres));
  describe(`${name} on the embedded database`, () => suite(openFreshEmbedded));
}
