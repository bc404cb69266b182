import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`../packages/${path}`, import.meta.url))

// Tests run the sources; test/packaging installs what is built and packed.
export default defineConfig({
  resolve: {
    alias: [
      // What bundlers get for these is built. Node gets the packages themselves.
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
    // No test times anything: these end one that hangs, also on a machine that has much else to do.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
})
