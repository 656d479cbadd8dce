import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { apiKey } from '@better-auth/api-key';
import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import pg from 'pg';

/**
 * better-auth with its own plugins for API keys and OAuth, as its documentation sets them up, on PostgreSQL: `/v1/me` proves an
 * API key, `/api/auth/oauth2/token` gives tokens. Its rate limits and its telemetry are off. Writes a key, and an app with
 * its secret, into the file that MADE names.
 */
const { DATABASE_URL, PORT, HOST, MADE = '' } = process.env;
const auth = betterAuth({
  baseURL: `http://${HOST}:${PORT}`,
  secret: 'iVbnQ2bXn0Zp4yq8Jc5dE1uTfR7sKaLw',
  database: new pg.Pool({ connectionString: DATABASE_URL, max: 10 }),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [
    apiKey({ rateLimit: { enabled: false } }),
    jwt(),
    oauthProvider({
      loginPage: '/login',
      consentPage: '/consent',
      scopes: ['openid', 'prompts:read'],
      clientPrivileges: () => true,
    }),
  ],
});
await (await getMigrations(auth.options)).runMigrations();

const signedUp = await auth.api.signUpEmail({
  body: { email: 'bench@example.com', password: 'correct horse battery', name: 'Bench' },
  returnHeaders: true,
});
const cookie = signedUp.headers
  .getSetCookie()
  .map((one) => one.split(';')[0])
  .join('; ');
const { key } = await auth.api.createApiKey({ body: { name: 'bench', userId: signedUp.response.user.id } });
const app = await auth.api.adminCreateOAuthClient({
  headers: new Headers({ cookie }),
  body: {
    client_name: 'bench',
    redirect_uris: ['https://app.example/callback'],
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_post',
    scope: 'prompts:read',
    client_credentials_scopes: ['prompts:read'],
  },
});
writeFileSync(MADE, JSON.stringify({ key, clientId: app.client_id, clientSecret: app.client_secret }));

const handle = toNodeHandler(auth);
async function answerMe(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const credential = req.headers.authorization?.slice('Bearer '.length) ?? '';
  const { valid, key: found } = await auth.api.verifyApiKey({ body: { key: credential } });
  res.writeHead(valid ? 200 : 401, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ id: found?.id }));
}
createServer((req, res) => void (req.url === '/v1/me' ? answerMe : handle)(req, res)).listen(
  Number(PORT),
  HOST,
);
