/**
 * The import rules of docs/architecture.md that hold for what is still imported when the program runs: a type may
 * pass, since it has no behaviour to depend on. Each comment says what breaks without the rule.
 */

const { options } = require('./.dependency-cruiser.cjs');

const FEATURE = '^src/(?!kernel/|http/|principals/|wiring/|services/)([^/]+)/'; // $1 in `to`: the feature's own folder

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'adapters-import-types-only',
      comment:
        'An adapter implements a port; one that calls into a feature puts decisions behind the database, ' +
        'where the other adapters do not make them. The kernel and the tables of config are free to it, and so are the ' +
        'errors that a port promises to throw (*-error.ts).',
      severity: 'error',
      from: { path: '^adapters/' },
      to: {
        path: '^(src|views|test|bench)/',
        pathNot: ['^src/kernel/', '-error\\.ts$'],
      },
    },
    {
      name: 'features-do-not-import-one-another',
      comment:
        "Features that know one another's insides change together and break together. src/app.ts and src/services.ts, with " +
        'src/wiring/ and src/services/, pass functions in; types may be shared, since a type has no behaviour to depend on.',
      severity: 'error',
      from: { path: FEATURE },
      to: {
        path: '^src/(?!kernel/|http/|principals/)[^/]+/',
        pathNot: '^src/$1/',
      },
    },
    {
      name: 'only-routes-import-http',
      comment:
        "A feature's functions serve the API, the console and the command line alike. One that knows requests and answers " +
        'serves only the first.',
      severity: 'error',
      from: { path: FEATURE, pathNot: ['(^|/|-)(routes|pages|form)\\.ts$', '^src/(oauth|console|gateway)/'] },
      to: { path: '^src/http/' },
    },
    {
      name: 'principals-import-leaves-only',
      comment:
        'Who a credential proves is decided before everything else. The resolvers are passed in: if principals imported ' +
        'the features, the features could not use its types without a cycle.',
      severity: 'error',
      from: { path: '^src/principals/' },
      to: { path: '^src/[^/]+/', pathNot: '^src/(kernel|principals)/' },
    },
    {
      name: 'views-import-types-only',
      comment:
        'A template that can call a feature hides reads and decisions in the page. It is given its data, typed, and no more.',
      severity: 'error',
      from: { path: '^views/' },
      to: { path: '^(src|adapters|test|bench)/' },
    },
    {
      name: 'nothing-shipped-needs-a-development-dependency',
      comment: '`npm ci --omit=dev` leaves them out of the image: the import works here and fails there.',
      severity: 'error',
      from: { path: '^(src|adapters|config|views)/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'only-adapters-speak-to-stores',
      comment:
        "SQL or Redis commands in a feature work with one store only, and no adapter's suite covers them.",
      severity: 'error',
      from: { path: '^(src|config|views)/' },
      to: { path: '^node_modules/(knex|pg|ioredis|@electric-sql|nodemailer)/' },
    },
  ],
  options: {
    ...options,
    parser: 'acorn',
    tsPreCompilationDeps: false,
    babelConfig: { fileName: '.dependency-cruiser.strip-types.cjs' },
  },
};
