#!/usr/bin/env node
import { Command, Option } from 'commander';
import { ConfigError, loadConfig } from '../config/config.ts';
import { type Figures, PLAN_NAMES, type Plan } from '../config/plans.ts';
import { INITIAL_TOKEN_PREFIX } from './apps/registration-tokens.ts';
import { type BootstrapOptions, bootstrap, describeBootstrap } from './bootstrap.ts';
import { parseCount, parseDays, parseName, parsePlan, parseTime } from './cli-arguments.ts';
import { given } from './kernel/given.ts';
import { createLogger } from './kernel/log.ts';
import { issueSecret } from './kernel/secret.ts';
import { openServices, type Services } from './services.ts';
import { describeTried, presentTried } from './usage/tried-plan.ts';

/** The command line: thin over the functions that the server uses. Results go to standard output, words to standard error. */
const program = new Command('promptreports-auth')
  .description('OAuth 2.0 provider and API keys for the PromptReports API')
  .showHelpAfterError('(add --help for what can be given)');

program
  .command('serve')
  .description('run the server until it is told to stop')
  .action(async () => {
    const { serve } = await import('./serve.ts');
    await serve(process.env);
  });

program
  .command('migrate')
  .description("bring the database's schema up to date")
  .action(() =>
    withServices(async ({ database }) => {
      process.stderr.write(`The schema (${database.kind}) is up to date.\n`);
    }),
  );

const count = (flag: string, words: string) => new Option(`${flag} <requests>`, words).argParser(parseCount);
const perSecond = count('--per-second', "the organization's own burst limit");
const perMinute = count('--per-minute', "the organization's own limit of a minute");
const perDay = count('--per-day', "the organization's own limit of a day");

program
  .command('bootstrap')
  .description('make an organization with an owner, API keys and an app of each kind; prints them once')
  .option('--json', 'print one JSON object')
  .option('--email <address>', "the owner's e-mail address")
  .option('--organization <name>', "the organization's name", parseName)
  .option('--plan <plan>', `one of ${PLAN_NAMES.join(', ')}`, parsePlan)
  .addOption(perSecond)
  .addOption(perMinute)
  .addOption(perDay)
  .action((options: BootstrapOptions & Partial<Figures> & { json?: boolean }) =>
    withServices(async (services) => {
      const { json, ...wanted } = options;
      const own = ownFigures(wanted);
      const made = await bootstrap(services, { ...wanted, ...(Object.keys(own).length > 0 ? { own } : {}) });
      process.stdout.write(json ? `${JSON.stringify(made)}\n` : describeBootstrap(made, services.config));
    }),
  );

program
  .command('apps')
  .description('what the operator decides about apps')
  .command('mark-resource-server')
  .description('let an app introspect and revoke the tokens and keys of every organization')
  .argument('<id>', "the app's id, which is its client_id")
  .option('--undo', 'take the mark away')
  .action((id: string, { undo = false }: { undo?: boolean }) =>
    withServices(async ({ markResourceServer }) => {
      const { name } = await markResourceServer(id, !undo);
      process.stderr.write(
        `${name} (${id}) is ${undo ? 'no resource server any more' : 'a resource server'}.\n`,
      );
    }),
  );

const signingKeys = program.command('signing-keys').description('the keys that sign access and id tokens');
signingKeys
  .command('list')
  .description('every key with its state; those that sign now first')
  .action(() => withServices(printSigningKeys));
signingKeys
  .command('rotate')
  .description('let the next keys take over, as soon as every validator can know them')
  .option('--compromised <kid>', 'take this key out of use now: its tokens are refused within a second')
  .action(({ compromised }: { compromised?: string }) =>
    withServices(async (services) => {
      const { signingKeys: keys } = services;
      if (compromised === undefined) await keys.rotate({ type: 'operator' });
      else if (!(await keys.dropCompromised(compromised, { type: 'operator' })))
        throw new Error('there is no such key');
      await printSigningKeys(services);
    }),
  );

async function printSigningKeys({ signingKeys: keys }: Services): Promise<void> {
  for (const {
    kid,
    algorithm,
    status,
    publishedAt,
    activatedAt,
    retiredAt,
    signsFrom,
  } of await keys.list()) {
    const since = `since ${(retiredAt ?? activatedAt ?? publishedAt).toISOString()}`;
    const from = signsFrom ? `, signs from ${signsFrom.toISOString()}` : '';
    process.stdout.write(`${status.padEnd(8)} ${algorithm.padEnd(6)} ${kid}  ${since}${from}\n`);
  }
}

program
  .command('registration-tokens')
  .description('tokens with which apps may register themselves (REGISTRATION=token)')
  .command('create')
  .description('make one; prints it once')
  .option('--days <days>', 'how long it works', parseDays, 7)
  .action(({ days }: { days: number }) =>
    withServices(async ({ records }) => {
      const token = issueSecret(INITIAL_TOKEN_PREFIX).reveal();
      await records.keepInitialAccessToken(token, days * 86_400);
      process.stdout.write(`${token}\n`);
    }),
  );

const users = program.command('users').description('what the operator decides about people');
for (const [name, description] of [
  ['deactivate', 'shut a person out at once: sessions, what apps hold for them, their API keys'],
  ['reactivate', 'let a person in again: they sign in and allow their apps anew; their API keys work again'],
] as const) {
  users
    .command(name)
    .description(description)
    .argument('<id>', "the person's id")
    .action((id: string) =>
      withServices(async ({ userStatus }) => {
        const changed = await userStatus[name](id, { type: 'operator' });
        if (!changed) throw new Error(`there is no such person, or they are ${name}d already`);
        process.stderr.write(`${id} is ${name}d.\n`);
      }),
    );
}

const organizations = program.command('organizations').description('what only the operator may change');

organizations
  .command('set-plan')
  .argument('<id>', 'org_…')
  .argument('<plan>', `one of ${PLAN_NAMES.join(', ')}`, parsePlan)
  .description("put an organization on a plan; figures that are not given are the plan's")
  .addOption(perSecond)
  .addOption(perMinute)
  .addOption(perDay)
  .action((id: string, plan: Plan, options: Partial<Figures>) =>
    withServices(async ({ setPlan }) => {
      await setPlan(id, plan, ownFigures(options));
      process.stderr.write(`${id} is on the plan ${plan}.\n`);
    }),
  );

const ownFigures = ({ perSecond, perMinute, perDay }: Partial<Figures>): Partial<Figures> =>
  given({ perSecond, perMinute, perDay });

type TryOptions = { plan: Plan; organization?: string; from?: Date; to?: Date; json?: boolean };

program
  .command('limits')
  .description('rate limits')
  .command('try')
  .description('replay recorded calls against a plan: who would be refused, when, how often')
  .requiredOption('--plan <plan>', `one of ${PLAN_NAMES.join(', ')}`, parsePlan)
  .option('--organization <id>', 'only of this organization')
  .option('--from <time>', 'such as 2026-01-15T10:00:00Z; default: all that is recorded', parseTime)
  .option('--to <time>', 'default: now', parseTime)
  .option('--json', 'print one JSON object')
  .action(({ plan, organization, from = new Date(0), to = new Date(), json }: TryOptions) =>
    withServices(async ({ organizations: all, tryPlan }) => {
      if (from >= to) throw new Error('--from must be before --to');
      if (organization !== undefined && !(await all.find(organization)))
        throw new Error(`there is no organization ${organization}`);
      const tried = await tryPlan(plan, { from, to, ...given({ organizationId: organization }) });
      process.stdout.write(json ? `${JSON.stringify(presentTried(tried))}\n` : describeTried(tried));
    }),
  );

/** Opens the database (and so migrates it), does the work, closes. Exits with 1 and the reason in words when it fails. */
async function withServices(work: (services: Services) => Promise<void>): Promise<void> {
  let services: Services | undefined;
  try {
    const config = loadConfig(process.env);
    services = await openServices(
      config,
      createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel),
    );
    await work(services);
  } catch (error) {
    process.stderr.write(
      `${error instanceof ConfigError ? error.message : `Failed: ${(error as Error).message}`}\n`,
    );
    process.exitCode = 1;
  } finally {
    await services?.close();
  }
}

await program.parseAsync();
