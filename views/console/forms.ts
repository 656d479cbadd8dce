import type { ScopeLevel } from '../../config/scopes.ts';

type Errors = Readonly<Record<string, string>>;

/** A form as it is shown, the first time or again. */
export type FormOf<Values> = {
  action: string;
  values: Values;
  errors: Errors;
  /** What is wrong with the whole. */
  notice?: string | undefined;
  cancelUrl: string;
};

export type Choice = { value: string; label: string; hint?: string | undefined };

/** Of one list to choose from: what stands under one heading. */
export type ChoiceGroup = { label: string; choices: readonly Choice[] };

/** Scopes by what they are of: "Prompts", with its levels. */
export type ScopeGroup = {
  of: string;
  ticks: readonly {
    scope: string;
    label: string;
    level: ScopeLevel;
    checked: boolean;
    /** The person can't give it. */
    disabled: boolean;
  }[];
};

export type Link = { label: string; url: string; current: boolean };
