/**
 * `npm test` runs it with --experimental-vm-modules, for ES modules, and --liftoff-only: PGlite's WebAssembly is then
 * compiled once and fast; optimizing it further costs more than it saves here, and holds up the end of every worker.
 *
 * @type {import('jest').Config}
 */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  // Types are stripped, nothing else: the modules stay ES modules, as Node itself would run them.
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { swcrc: false, jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  reporters: ['default', '<rootDir>/test/support/left-out-reporter.ts'],
  maxWorkers: 2,
  testTimeout: 60_000, // a busy machine is no fault
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts', 'adapters/**/*.ts', 'config/**/*.ts'],
};
