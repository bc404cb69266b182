import { cp } from 'node:fs/promises'
import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node22',
  // From TypeScript 6 on, a project gets the types of Node only if it, or a declaration, asks for them.
  dts: { banner: '/// <reference types="node" />' },
  // In CommonJS `import.meta` is empty, and is asked for nothing there.
  esbuildOptions(options) {
    options.logOverride = { 'empty-import-meta': 'silent' }
  },
  clean: true,
  // What the browser loads, as it is.
  onSuccess: () => cp('src/console/page', 'dist/page', { recursive: true }),
})
