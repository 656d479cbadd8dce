const { transformSync } = require('@swc/core');

const STRIP = {
  swcrc: false,
  jsc: {
    parser: { syntax: 'typescript' },
    target: 'es2024',
    transform: { verbatimModuleSyntax: true }, // keeps and drops the imports that Node keeps and drops
  },
};

/** For Babel, through which dependency-cruiser can read: strips the types first, so that it sees what runs. */
module.exports = {
  configFile: false,
  babelrc: false,
  plugins: [
    () => ({ parserOverride: (code, options, parse) => parse(transformSync(code, STRIP).code, options) }),
  ],
};
