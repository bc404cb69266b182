import { cp } from 'node:fs/promises'
import { defineConfig } from 'tsup'

export default defineConfig([
  {
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    target: 'node22',
    dts: true,
    // The CommonJS build finds its own files too.
    shims: true,
    clean: ['!cli.js', '!cli'],
    // What the browser loads, as it is.
    onSuccess: () => cp('src/console/page', 'dist/page', { recursive: true }),
  },
  {
    // The command line: nobody imports it, and each command is loaded when it is run.
    entry: { cli: 'src/cli/main.ts' },
    format: ['esm'],
    target: 'node22',
    splitting: true,
    clean: ['!index.*'],
    esbuildOptions(options) {
      options.chunkNames = 'cli/[name]-[hash]'
    },
  },
])
