import { defineConfig } from 'tsup'
import { bundlerCopy } from '../../scripts/bundler-copy.ts'

export default defineConfig([
  {
    entry: { index: 'src/index.ts', sync: 'src/sync/index.ts', testing: 'src/testing/index.ts' },
    // The sync takes core's public names from core itself: one copy of its classes, in CommonJS too.
    external: ['@scalekit-scim/core', '#raw-body'],
    format: ['esm', 'cjs'],
    target: 'node22',
    // From TypeScript 6 on, a project gets the types of Node only if it, or a declaration, asks for them.
    dts: { banner: '/// <reference types="node" />' },
    clean: ['!raw-body.*'],
    // Jest cannot run `import()` in CommonJS without a flag. `require` is as lazy.
    esbuildOptions(options, { format }) {
      if (format === 'cjs') options.supported = { ...options.supported, 'dynamic-import': false }
    },
  },
  bundlerCopy('raw-body'),
])
