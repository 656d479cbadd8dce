import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { callWith, type Goal, tokenLoad } from '../bench.ts';
import { load } from '../load.ts';
import { startBenchServer } from '../processes.ts';

const PEERS = path.resolve(import.meta.dirname, '../peers');

/** Goal 11: side by side with better-auth, both on PostgreSQL. */
export const peers: Goal = async ({ machine, report }) => {
  if (!existsSync(path.join(PEERS, 'node_modules')))
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: PEERS,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const file = path.join(machine.directory, 'better-auth.json');
  const theirs = await startBenchServer('bench/peers/better-auth.ts', {
    DATABASE_URL: await machine.createDatabase('better_auth'),
    HOST: '127.0.0.1',
    MADE: file,
  });
  const made = JSON.parse(readFileSync(file, 'utf8')) as {
    key: string;
    clientId: string;
    clientSecret: string;
  };
  const ours = await startBenchServer('src/server.ts', { ...machine.env, REDIS_URL: machine.redisUrl });
  await report.compare({
    name: '11: API key with limits, usage and log; over better-auth without',
    goal: 6,
    a: load(ours, callWith(machine.made.apiKeys.live)),
    b: load(theirs, callWith(made.key)),
  });
  await report.compare({
    name: '11: client_credentials, RS256; over better-auth, opaque',
    goal: 5,
    a: load(ours, tokenLoad('/oauth/token', machine.made.apps.service)),
    b: load(theirs, tokenLoad('/api/auth/oauth2/token', made)),
  });
  await Promise.all([ours.stop(), theirs.stop()]);
};
