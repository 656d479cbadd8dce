import type { Pages, Shared } from '../../views/pages.ts';

/** A page with data that strains it: long and unbroken names, right-to-left override, errors, nothing at all. */
export type Variant = {
  [P in keyof Pages]: { page: P; data: Pages[P]; shared?: Partial<Shared> };
}[keyof Pages];

export const LONG =
  'The Extraordinarily Long-Winded Prompt Evaluation and Quarterly Reporting Companion for Enterprises';
export const UNBROKEN = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';
export const RTL = 'Acme \u202egnp.exe\u202e <script>alert(1)</script>';
