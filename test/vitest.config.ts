import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst, slowFiles } from './support/longest-first.ts'

const source = (path: string) => fileURLToPath(new URL(`../packages/${path}`, import.meta.url))

// Tests run the sources. Only test/packaging installs the built and packed packages.
export default defineConfig({
  resolve: {
    alias: [
      // Bundlers get a built copy of these packages. Node gets the packages themselves.
      { find: /^#(raw-body|fastify-plugin)$/, replacement: '$1' },
      { find: /^@scalekit-scim\/core$/, replacement: source('core/src/index.ts') },
      { find: /^@scalekit-scim\/core\/(adapter|internal)$/, replacement: source('core/src/$1.ts') },
      { find: /^@scalekit-scim\/core\/sync$/, replacement: source('core/src/sync/index.ts') },
      { find: /^@scalekit-scim\/core\/testing$/, replacement: source('core/src/testing/index.ts') },
      { find: /^@scalekit-scim\/express$/, replacement: source('express/src/index.ts') },
      { find: /^@scalekit-scim\/fastify$/, replacement: source('fastify/src/index.ts') },
      { find: /^@scalekit-scim\/simulator$/, replacement: source('simulator/src/index.ts') },
    ],
  },
  test: {
    include: ['**/*.test.ts'],
    // `npm test -- quick` leaves out the files that start servers, browsers or compilers.
    exclude: process.env.QUICK ? ['node_modules/**', ...slowFiles] : ['node_modules/**'],
    // Many tests wait for a server, a lease or a timeout, so two cores can run four files at once.
    maxWorkers: Math.max(4, availableParallelism()),
    // A worker reuses the modules that its files have in common. A new worker for each file takes a third of a second.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    setupFiles: ['./support/count-assertions.ts'],
    // These limits only end a test that hangs. They are long enough for a busy machine, because no test measures time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
})
