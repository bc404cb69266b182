import { defineConfig } from 'tsup'
import { bundlerCopy } from '../../scripts/bundler-copy.ts'

export default defineConfig([
  {
    entry: ['src/index.ts'],
    external: ['#fastify-plugin'],
    format: ['esm', 'cjs'],
    target: 'node22',
    dts: true,
    clean: ['!fastify-plugin.*'],
  },
  bundlerCopy('fastify-plugin'),
])
