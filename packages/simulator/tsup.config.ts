import { cp } from 'node:fs/promises'
import { defineConfig } from 'tsup'

export default defineConfig([
  {
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    target: 'node22',
    // From TypeScript 6 on, a project gets the types of Node only if it, or a declaration, asks for them.
    dts: { banner: '/// <reference types="node" />' },
    // In CommonJS `import.meta` is empty, and is asked for nothing there.
    esbuildOptions(options) {
      options.logOverride = { 'empty-import-meta': 'silent' }
    },
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
