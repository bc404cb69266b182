import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`../packages/${path}`, import.meta.url))

// Tests run the sources; test/packaging installs what is built and packed.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@scalekit-scim\/core$/, replacement: source('core/src/index.ts') },
      { find: /^@scalekit-scim\/core\/testing$/, replacement: source('core/src/testing/index.ts') },
      { find: /^@scalekit-scim\/express$/, replacement: source('express/src/index.ts') },
      { find: /^@scalekit-scim\/fastify$/, replacement: source('fastify/src/index.ts') },
    ],
  },
  test: {
    include: ['**/*.test.ts'],
    // Some tests wait for what a server does in its own time; none of them times anything.
    testTimeout: 30_000,
  },
})
