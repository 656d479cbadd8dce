import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import knexFactory from 'knex';
import Provider, { type AdapterFactory, type AdapterPayload, type Configuration } from 'oidc-provider';

/**
 * oidc-provider as it comes, with RS256 tokens: in memory, or over PostgreSQL by the plain adapter that its documentation
 * leads to, where DATABASE_URL is set. `/seed?n=` answers with so many refresh tokens, each of a person of its own.
 */
const port = Number(process.env['PORT']);
const issuer = `http://127.0.0.1:${port}`;
const resource = 'https://api.example';
const scope = 'prompts:read';
const client = {
  client_id: 'bench',
  client_secret: 'a-secret-of-thirty-two-characters',
  grant_types: ['client_credentials', 'refresh_token', 'authorization_code'],
  redirect_uris: ['https://app.example/callback'],
  token_endpoint_auth_method: 'client_secret_post' as const,
};

async function plainAdapter(connection: string): Promise<AdapterFactory> {
  const knex = knexFactory({ client: 'pg', connection, pool: { min: 0, max: 10 } });
  await knex.raw(`CREATE TABLE IF NOT EXISTS plain_models (type text, id text, payload jsonb, grant_id text,
    user_code text, uid text, expires_at timestamptz, consumed_at timestamptz, PRIMARY KEY (type, id))`);
  await knex.raw('CREATE INDEX IF NOT EXISTS plain_models_by_grant ON plain_models (grant_id)');
  // Apps that developers register live in the database too.
  await knex('plain_models').insert({
    type: 'Client',
    id: client.client_id,
    payload: JSON.stringify(client),
  });
  return (type) => {
    const rows = () => knex('plain_models').where({ type });
    const read = (row: { payload: AdapterPayload; consumed_at: Date | null } | undefined) =>
      row && { ...row.payload, ...(row.consumed_at ? { consumed: true } : {}) };
    return {
      upsert: async (id, payload, expiresIn) => {
        await knex('plain_models')
          .insert({
            type,
            id,
            payload: JSON.stringify(payload),
            grant_id: payload.grantId,
            user_code: payload.userCode,
            uid: payload.uid,
            expires_at: expiresIn ? new Date(Date.now() + expiresIn * 1000) : null,
          })
          .onConflict(['type', 'id'])
          .merge();
      },
      find: async (id) => read(await rows().where({ id }).first()),
      findByUserCode: async (userCode) => read(await rows().where({ user_code: userCode }).first()),
      findByUid: async (uid) => read(await rows().where({ uid }).first()),
      consume: async (id) => {
        await rows().where({ id }).update({ consumed_at: new Date() });
      },
      destroy: async (id) => {
        await rows().where({ id }).delete();
      },
      revokeByGrantId: async (grantId) => {
        await rows().where({ grant_id: grantId }).delete();
      },
    };
  };
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const databaseUrl = process.env['DATABASE_URL'];
const configuration: Configuration = {
  ...(databaseUrl ? { adapter: await plainAdapter(databaseUrl) } : { clients: [client] }),
  scopes: [scope],
  jwks: { keys: [privateKey.export({ format: 'jwk' })] },
  cookies: { keys: ['bench'] },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  findAccount: async (_ctx, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
    },
  },
};
const provider = new Provider(issuer, configuration);

async function seed(count: number): Promise<{ token: string; clientId: string; clientSecret: string }[]> {
  const found = await provider.Client.find(client.client_id);
  if (!found) throw new Error('no client');
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const accountId = `person-${i}`;
      const grant = new provider.Grant({ accountId, clientId: client.client_id });
      grant.addResourceScope(resource, scope);
      const token = new provider.RefreshToken({
        client: found,
        accountId,
        grantId: await grant.save(),
        scope,
        resource,
        gty: 'authorization_code',
        expiresWithSession: false,
      });
      return { token: await token.save(), clientId: client.client_id, clientSecret: client.client_secret };
    }),
  );
}

const handle = provider.callback();
createServer((req, res) => {
  const url = new URL(req.url ?? '', issuer);
  if (url.pathname === '/readyz') res.end();
  else if (url.pathname !== '/seed') void handle(req, res);
  else void seed(Number(url.searchParams.get('n'))).then((made) => res.end(JSON.stringify(made)));
}).listen(port, '127.0.0.1');
