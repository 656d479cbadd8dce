/**
 * The import rules of docs/architecture.md that hold for every import, of types too. Those that let a type
 * through are in .dependency-cruiser.runtime.cjs. Each comment says what breaks without the rule.
 */

const TOP = '^src/([^/]+\\.ts$|wiring/|services/)'; // what puts the features together

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment:
        'Two files that need each other can be neither read nor tested alone, and which one loads first ' +
        'decides whether a constant is still undefined. Type-only cycles count: they are the same knot for a reader.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment:
        'An import that leads nowhere fails when the process starts, perhaps only on the path that loads it.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'kernel-imports-nothing-of-ours',
      comment:
        'The kernel is what everything stands on: an import upwards makes every file depend on every other, ' +
        'and no leaf could be tested without the house.',
      severity: 'error',
      from: { path: '^src/kernel/' },
      to: { path: '^(src|adapters|config|views|test|bench)/', pathNot: '^src/kernel/' },
    },
    {
      name: 'config-imports-nothing-of-ours',
      comment:
        'The tables (scopes, plans, roles) and settings are read by every side, the migrations and the documents included: ' +
        'with an import of a feature they could not be read without starting it.',
      severity: 'error',
      from: { path: '^config/' },
      to: { path: '^(src|adapters|views|test|bench)/' },
    },
    {
      name: 'only-the-composition-root-imports-adapters',
      comment:
        'Code that reaches for Knex, Redis or the disk by itself can no longer be given another: the embedded database, ' +
        'the in-process limiter and the tests all rest on src/services.ts and its folder alone choosing.',
      severity: 'error',
      from: { path: '^(src|config|views)/', pathNot: '^src/services(\\.ts$|/)' },
      to: { path: '^adapters/' },
    },
    {
      name: 'features-do-not-import-the-top',
      comment:
        'What is on top (app, services, server, cli, bootstrap, wiring/, services/) puts the features together: a feature that ' +
        'imports any of it can be loaded only with all the others.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: TOP },
      to: { path: TOP },
    },
    {
      name: 'services-do-not-import-the-app',
      comment:
        'The command line opens the services without the application: with an import of it, no command could run without ' +
        'the provider, the pages and their templates.',
      severity: 'error',
      from: { path: '^src/services(\\.ts$|/)' },
      to: { path: '^src/((app|server|cli|api-routes)\\.ts$|wiring/)|^views/' },
    },
    {
      name: 'http-imports-only-what-the-pipeline-runs',
      comment:
        "The pipeline is the same for every route. If it knew a feature, that feature's routes would be checked by other code " +
        'than the rest.',
      severity: 'error',
      from: { path: '^src/http/' },
      to: { path: '^src/[^/]+/', pathNot: '^src/(kernel|http|principals|limits|usage)/' },
    },
    {
      name: 'nothing-shipped-imports-tests',
      comment:
        'The image holds no test and no development dependency: such an import fails only there, at the start.',
      severity: 'error',
      from: { path: '^(src|adapters|config|views)/' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsPreCompilationDeps: true, // imports as they are written, `import type` with them
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
