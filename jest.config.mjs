/** @type {import('jest').Config} */
const shared = {
  testEnvironment: 'node',
  transform: {
    '\\.(tsx?|mjs)$|/node_modules/(content-disposition|cookie)/.+\\.js$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', tsx: true },
          transform: { react: { runtime: 'automatic', importSource: 'preact' } },
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  // These packages are ES modules alone, which jest's require cannot load untransformed.
  transformIgnorePatterns: [
    '/node_modules/(?!(typebox|preact|@preact|content-disposition|cookie)/)',
  ],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
};

export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/test/{base,media,server,signaling,web,scripts,support}/**/*.test.ts?(x)',
      ],
    },
    {
      ...shared,
      displayName: 'conformance',
      testMatch: ['<rootDir>/test/conformance/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'long',
      testMatch: ['<rootDir>/test/integration/long/*.test.ts'],
    },
  ],
};
