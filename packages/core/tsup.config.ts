import { rm } from 'node:fs/promises'
import { defineConfig, type Options } from 'tsup'
import { bundlerCopy } from '../../scripts/bundler-copy.ts'

// The builds below run at the same time, and the `clean` of one would delete what another has written.
await rm('dist', { recursive: true, force: true })

const shared: Options = {
  format: ['esm', 'cjs'],
  target: 'node22',
  // From TypeScript 6 on, a project gets the types of Node only if it, or a declaration, asks for them.
  dts: { banner: '/// <reference types="node" />' },
}

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      adapter: 'src/adapter.ts',
      internal: 'src/internal.ts',
      testing: 'src/testing/index.ts',
    },
    external: ['#raw-body'],
    // These share chunks, so that each class exists once in each module system. For CommonJS, Rollup makes them:
    // without it tsup uses Sucrase, which rewrites class fields and `?.`.
    splitting: true,
    treeshake: true,
  },
  {
    ...shared,
    entry: { sync: 'src/sync/index.ts' },
    // The sync imports the other entry points, and so their classes.
    external: [/^@scalekit-scim\/core/],
    // Jest cannot run `import()` in CommonJS without a flag. `require` is as lazy.
    esbuildOptions(options, { format }) {
      if (format === 'cjs') options.supported = { ...options.supported, 'dynamic-import': false }
    },
  },
  bundlerCopy('raw-body'),
])
