import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { credentialsOf, getTokens } from '../../test/oauth/support.ts';
import { addPeople } from '../../test/support/people.ts';
import { withDatabase } from '../../test/support/prepare.ts';
import { createUserAgent } from '../../test/support/user-agent.ts';
import { type Bench, type Goal, tokenLoad } from '../bench.ts';
import { CONNECTIONS, load } from '../load.ts';
import { type BenchServer, pinned, startBenchServer } from '../processes.ts';
import { refreshLoad } from '../refresh-load.ts';
import type { Side } from '../report.ts';

/** Goals 5 and 6: what a token costs, against the signing alone, the library alone, and a plain adapter. */
export const tokens: Goal = async (bench) => {
  const { machine, report } = bench;
  const { env, made } = machine;
  const ours = await startBenchServer('src/server.ts', env);
  const ourTokens = load(ours, tokenLoad('/oauth/token', made.apps.service));
  await report.compare({
    name: '5: client_credentials RS256; over RSA-2048 signing alone',
    goal: 0.4,
    a: ourTokens,
    b: signing,
  });
  const inMemory = await startBenchServer('bench/servers/bare-provider.ts');
  const [client] = await seed(inMemory, 1);
  const bare = load(inMemory, tokenLoad('/token', client as Seed));
  await report.compare({
    name: '5: the same; over bare oidc-provider in memory',
    goal: 1,
    a: ourTokens,
    b: bare,
  });
  await inMemory.stop();

  const plain = await startBenchServer('bench/servers/bare-provider.ts', {
    DATABASE_URL: await machine.createDatabase('plain'),
  });
  const plainForms = (await seed(plain, CONNECTIONS)).map((one) => ({
    grant_type: 'refresh_token',
    ...credentialsOf(one),
    refresh_token: one.token,
  }));
  await report.compare({
    name: '6: refresh with rotation; over the plain knex adapter',
    goal: 1.6,
    a: refreshLoad(ours, '/oauth/token', await ourRefreshForms(bench, ours)),
    b: refreshLoad(plain, '/token', plainForms),
  });
  await plain.stop();
  await ours.stop();
};

/** As often a second as one core signs, from a process that does nothing else. */
const signing: Side = {
  measure: async (seconds) => {
    const [program, args] = pinned(['bench/servers/signing.ts', String(seconds)]);
    const { stdout } = await promisify(execFile)(program, args);
    return { perSecond: Number(stdout), cpuMicros: 1e6 / Number(stdout), p99Ms: 0 };
  },
};

type Seed = { token: string; clientId: string; clientSecret: string };

const seed = async (server: BenchServer, count: number): Promise<Seed[]> =>
  (await (await fetch(`${server.url}/seed?n=${count}`)).json()) as Seed[];

/** Each of a person of its own, as in life: what hangs on one grant waits for its turn. */
async function ourRefreshForms({ machine }: Bench, server: BenchServer): Promise<Record<string, string>[]> {
  const { env, made } = machine;
  const names = Array.from({ length: CONNECTIONS }, (_, i) => `person${i}`);
  const people = await withDatabase(env, (services) => addPeople(services, made, names, 'owner'));
  const forms: Record<string, string>[] = [];
  for (const person of Object.values(people)) {
    const userAgent = createUserAgent(server.url);
    const site = { server, made, userAgent } as unknown as Parameters<typeof getTokens>[0];
    const { refresh_token: token = '' } = await getTokens(site, { person });
    forms.push({ grant_type: 'refresh_token', ...credentialsOf(made.apps.web), refresh_token: token });
  }
  return forms;
}
