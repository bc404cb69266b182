import { cp } from 'node:fs/promises'
import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node22',
  // From TypeScript 6 on, a project gets the types of Node only if the project or a declaration refers to them.
  dts: { banner: '/// <reference types="node" />' },
  // In CommonJS, `import.meta` is empty and unused.
  esbuildOptions(options) {
    options.logOverride = { 'empty-import-meta': 'silent' }
  },
  clean: true,
  // The browser loads these files unchanged.
  onSuccess: () => cp('src/console/page', 'dist/page', { recursive: true }),
})
