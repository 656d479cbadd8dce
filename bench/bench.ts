import type { Load } from './load.ts';
import type { Machine } from './machine.ts';
import type { Report } from './report.ts';

/** What each file of goals/ is given. `short`: to see whether it runs, not how fast. */
export type Bench = { machine: Machine; report: Report; short: boolean };

export type Goal = (bench: Bench) => Promise<void>;

/** A call with an API key or an access token. */
export const callWith = (credential: string): Load => ({
  path: '/v1/me',
  headers: { authorization: `Bearer ${credential}` },
});

/** A request to a token endpoint for a token of the app itself. */
export function tokenLoad(
  path: string,
  ...clients: readonly { clientId: string; clientSecret: string }[]
): Load & { body: string | readonly string[] } {
  const forms = clients.map(({ clientId, clientSecret }) =>
    new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'prompts:read',
    }).toString(),
  );
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { path, method: 'POST', headers, body: forms.length === 1 ? (forms[0] as string) : forms };
}
