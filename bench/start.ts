// Measures what the adapters add to the start of an application: the CPU time of their import after their framework's
// import, with `import()` and with `require`. Uses the build. zod's own import is the yardstick for the machine's
// speed. Each measurement runs in a new process. Rounds alternate, so that other load affects all imports equally.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median, spread } from './measure.ts'

const rounds = 15
/** The reference machine imports zod in 67 ms. There, an adapter may take 45 ms. */
const limitInZods = 45 / 67

interface Import {
  /** The package of this repository that contains the dependency. */
  from: string
  /** The measured package. */
  name: string
  /** Imported first, and not measured. */
  after?: string
}

const yardstick: Import = { from: 'core', name: 'zod' }
const adapters: Import[] = [
  { from: 'express', name: '@scalekit-scim/express', after: 'express' },
  { from: 'fastify', name: '@scalekit-scim/fastify', after: 'fastify' },
]
const imports: Import[] = [
  yardstick,
  { from: 'express', name: 'express' },
  { from: 'fastify', name: 'fastify' },
  ...adapters,
]

const loaders = { import: 'await import', require: 'require' }

function importMs({ from, name, after }: Import, how: keyof typeof loaders): number {
  const load = loaders[how]
  const code = `${after ? `${load}('${after}');` : ''}
    const before = process.cpuUsage()
    ${load}('${name}')
    const { user, system } = process.cpuUsage(before)
    console.log((user + system) / 1000)`
  const type = how === 'import' ? 'module' : 'commonjs'
  const cwd = fileURLToPath(new URL(`../packages/${from}`, import.meta.url))
  return Number(execFileSync(process.execPath, [`--input-type=${type}`, '--eval', code], { cwd }))
}

for (const how of ['import', 'require'] as const) {
  const times = new Map<Import, number[]>(imports.map((each) => [each, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [each, measured] of times) measured.push(importMs(each, how))
  }
  const timesOf = (each: Import) => times.get(each) ?? []

  console.log(`${how}, CPU, ${rounds} rounds: median (minimum … maximum)`)
  for (const each of imports) {
    const name = each.after ? `${each.name} after ${each.after}` : each.name
    console.log(`  ${name.padEnd(40)}${spread(timesOf(each), 'ms')}`)
  }
  const limitMs = limitInZods * median(timesOf(yardstick))
  const kept = adapters.every((each) => median(timesOf(each)) <= limitMs)
  console.log(
    `  limit ${limitMs.toFixed(1)} ms (${limitInZods.toFixed(2)} × zod): ${kept ? 'kept' : 'EXCEEDED'}`,
  )
  if (!kept) process.exitCode = 1
}
