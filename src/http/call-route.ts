import type { Principal } from '../principals/principal.ts';
import { checkInput, type Input } from './input.ts';
import { type Route, requireScope } from './route.ts';

export type RouteCall = Partial<Input> & { principal: Principal; ip: string; requestId: string };

/**
 * Does what a request to this route would, for one of our own pages: the same scope, the same checks of input, the
 * same handler, and so the same errors. Gives what the route answers.
 *
 * The principal was proved otherwise (by a session). Does NOT limit or meter: a person who looks at a page is no
 * use of the API.
 */
export async function callRoute(
  route: Route,
  { principal, ip, requestId, ...given }: RouteCall,
): Promise<unknown> {
  requireScope(principal, route, given.params as { id?: unknown } | undefined);
  return route.handle({ principal, allowance: undefined, ...checkInput(route, given), ip, requestId });
}
