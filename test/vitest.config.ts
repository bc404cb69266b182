import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst, slowFiles } from './support/longest-first.ts'

const source = (path: string) => fileURLToPath(new URL(`../packages/${path}`, import.meta.url))

// Tests run the sources; test/packaging installs what is built and packed.
export default defineConfig({
  resolve: {
    alias: [
      // Bundlers get a built copy of these. Node gets the packages themselves.
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
    // A worker keeps the modules that its files have in common. A new worker for each file takes a third of a second.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    setupFiles: ['./support/count-assertions.ts'],
    // No test times anything: these end a test that hangs, also on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
})
