#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander';
import { ConfigError, loadConfig } from '../config/config.ts';
import { isPlan, PLAN_NAMES, type Plan } from '../config/plans.ts';
import { type BootstrapOptions, bootstrap, describeBootstrap } from './bootstrap.ts';
import { createLogger } from './kernel/log.ts';
import { serve } from './server.ts';
import { openServices, type Services } from './services.ts';

/** The command line: thin over the functions that the server uses. Results go to standard output, words to standard error. */
const program = new Command('promptreports-auth')
  .description('OAuth 2.0 provider and API keys for the PromptReports API')
  .showHelpAfterError('(add --help for what can be given)');

program
  .command('serve')
  .description('run the server until it is told to stop')
  .action(() => serve(process.env));

program
  .command('migrate')
  .description("bring the database's schema up to date")
  .action(() =>
    withServices(async ({ database }) => {
      process.stderr.write(`The schema (${database.kind}) is up to date.\n`);
    }),
  );

program
  .command('bootstrap')
  .description('make an organization with an owner, API keys and an app of each kind; prints them once')
  .option('--json', 'print one JSON object')
  .option('--email <address>', "the owner's e-mail address")
  .option('--organization <name>', "the organization's name", parseName)
  .option('--plan <plan>', `one of ${PLAN_NAMES.join(', ')}`, parsePlan)
  .action((options: BootstrapOptions & { json?: boolean }) =>
    withServices(async (services) => {
      const { json, ...wanted } = options;
      const made = await bootstrap(services, wanted);
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

function parsePlan(value: string): Plan {
  if (!isPlan(value)) throw new InvalidArgumentError(`Give one of ${PLAN_NAMES.join(', ')}.`);
  return value;
}

function parseName(value: string): string {
  const name = value.trim();
  if (name.length < 1 || name.length > 100) throw new InvalidArgumentError('Give 1 to 100 characters.');
  return name;
}

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
