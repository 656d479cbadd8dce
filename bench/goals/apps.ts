import { newId } from '../../src/kernel/ids.ts';
import { issueSecret, sha256 } from '../../src/kernel/secret.ts';
import { withDatabase } from '../../test/support/prepare.ts';
import { type Goal, tokenLoad } from '../bench.ts';
import { load } from '../load.ts';
import { startBenchServer } from '../processes.ts';

const FEW = 50;

/** Goal 7: tokens for many apps in turn cost what they cost for a few. */
export const apps: Goal = async ({ machine, report, short }) => {
  const { env, made } = machine;
  const many = short ? 500 : 10_000;
  const clients = Array.from({ length: many }, () => ({
    clientId: newId('app'),
    clientSecret: issueSecret('secret_').reveal(),
  }));
  await withDatabase(env, async ({ database }) => {
    await database.sql().raw(
      `INSERT INTO apps (id, organization_id, name, kind, environment, scopes)
       SELECT unnest(:ids::text[]), organization_id, 'Bench', kind, environment, scopes FROM apps WHERE id = :service`,
      { ids: clients.map(({ clientId }) => clientId), service: made.apps.service.clientId },
    );
    await database.sql().raw(
      `INSERT INTO app_secrets (id, app_id, secret_hash, last4)
       SELECT * FROM unnest(:ids::text[], :apps::text[], :hashes::bytea[], :last4::text[])`,
      {
        ids: clients.map(() => newId('sec')),
        apps: clients.map(({ clientId }) => clientId),
        hashes: clients.map(({ clientSecret }) => sha256(clientSecret)),
        last4: clients.map(({ clientSecret }) => clientSecret.slice(-4)),
      },
    );
  });
  const server = await startBenchServer('src/server.ts', env);
  await report.compare({
    name: `7: tokens of ${many} apps in turn; over ${FEW}`,
    goal: 0.9,
    a: load(server, tokenLoad('/oauth/token', ...clients)),
    b: load(server, tokenLoad('/oauth/token', ...clients.slice(0, FEW))),
  });
  await server.stop();
};
