import type { Context } from 'koa';
import type { Environment } from '../../config/environments.ts';
import type { Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import type { ConsolePages } from '../../views/console-pages.ts';
import type { Pages } from '../../views/pages.ts';
import type { Form } from '../http/forms.ts';
import type { Principal } from '../principals/principal.ts';
import type { CallApi } from './calls.ts';

export type Person = { id: string; email: string; name: string };

/** Who looks at a page of the console, at what, and what they may do there. */
export type Visit = {
  ctx: Context;
  person: Person;
  organization: { id: string; name: string };
  environment: Environment;
  role: Role;
  principal: Principal;
  /** Whether the person's role gives this scope. */
  may(scope: Scope): boolean;
  /** The address of another page of this organization and environment: `url('/keys')`. */
  url(path: string): string;
  /** The API, as this person. */
  call: CallApi;
  render<P extends keyof ConsolePages>(
    page: P,
    data: Pages[P],
    options?: {
      status?: number;
      /** Says that they have to prove first who they are, with the way to do it. */
      askProof?: true;
    },
  ): void;
};

type Declared = {
  /** Below the organization and the environment: `/keys/:id`. */
  path: string;
  /** What the person's role has to give. */
  scope: Scope;
  /**
   * Shows or changes secrets or members: the person has proved who they are a moment ago. Who hasn't is sent to do that;
   * `keep`: from a form, which comes back with what was typed, they go by themselves, and send it again.
   */
  recent?: true | 'keep';
};

/** A page, or what one of its forms does. What it needs is declared; the pipeline sees to it. */
export type ConsolePage = Declared &
  (
    | { method: 'GET'; handle(visit: Visit): Promise<void> }
    | { method: 'POST'; handle(visit: Visit, form: Form): Promise<void> }
  );

/** The parameter of the page's own path. */
export const param = ({ ctx }: Visit, name: string): string => {
  const value: unknown = ctx['params'][name];
  return typeof value === 'string' ? value : '';
};

/** The parameter of the query; "" when it isn't there, or was sent twice. */
export const queryOf = ({ ctx }: Visit, name: string): string => {
  const value = ctx.query[name];
  return typeof value === 'string' ? value : '';
};
