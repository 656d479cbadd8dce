import type { Pages, Shared } from '../../views/pages.ts';

/** A page with data that strains it: long and unbroken names, right-to-left override, errors, nothing at all. */
export type Variant = {
  [P in keyof Pages]: { page: P; data: Pages[P]; shared?: Partial<Shared> };
}[keyof Pages];
