import { defineConfig } from 'tsup'

export default defineConfig([
  {
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    target: 'node22',
    dts: true,
    clean: ['!cli.js', '!cli'],
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
