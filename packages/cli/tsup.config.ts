import { defineConfig } from 'tsup'

// Nobody imports this package, so the build has no declarations and no CommonJS. Each command is a chunk, which is
// loaded when the command runs.
export default defineConfig({
  entry: ['src/main.ts'],
  // The simulator is not even an optional peer, because npm counts an optional peer of a dependency as wanted. An
  // application has the simulator as a development dependency, and `npm install --omit=dev` would then install it.
  external: ['@scalekit-scim/simulator'],
  format: ['esm'],
  target: 'node22',
  splitting: true,
  clean: true,
})
