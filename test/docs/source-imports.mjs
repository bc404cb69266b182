// This module is preloaded into a separate process: imports of the project's packages resolve to their sources there,
// as in vitest.
import { registerHooks } from 'node:module'

const sources = new Map([
  ['@scalekit-scim/core', 'core/src/index.ts'],
  ['@scalekit-scim/core/adapter', 'core/src/adapter.ts'],
  ['@scalekit-scim/core/internal', 'core/src/internal.ts'],
  ['@scalekit-scim/core/sync', 'core/src/sync/index.ts'],
  ['@scalekit-scim/core/testing', 'core/src/testing/index.ts'],
  ['@scalekit-scim/express', 'express/src/index.ts'],
  ['@scalekit-scim/fastify', 'fastify/src/index.ts'],
  ['@scalekit-scim/simulator', 'simulator/src/index.ts'],
])

registerHooks({
  resolve(specifier, context, next) {
    const source = sources.get(specifier)
    return source === undefined
      ? next(specifier, context)
      : { url: new URL(`../../packages/${source}`, import.meta.url).href, shortCircuit: true }
  },
})
