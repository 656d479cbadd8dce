import type { BenchServer } from './processes.ts';

/** An access token of the app itself, from our own token endpoint. */
export async function clientCredentialsToken(
  server: BenchServer,
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
): Promise<string> {
  const answer = await fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'prompts:read',
    }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}
