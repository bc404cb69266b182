// Measures what the adapters add to the start of an application: the CPU time of their import after their framework's
// import, with `import()` and with `require`. Uses the build. zod's own import is the yardstick for the machine's
// speed. Each measurement runs in a new process. Rounds alternate, so that other load affects all imports equally.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ratios, roundsOr } from './measure.ts'
import { progress, publish } from './report.ts'

const rounds = roundsOr(11)
/** The reference machine imports zod in 67 ms. There, an adapter may take 45 ms. */
const limitInZods = Math.round((45 / 67) * 100) / 100

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

const loaders = { 'import()': 'await import', require: 'require' }
type Loader = keyof typeof loaders
const ways = Object.keys(loaders) as Loader[]

function importMs({ from, name, after }: Import, how: Loader): number {
  const load = loaders[how]
  const code = `${after ? `${load}('${after}');` : ''}
    const before = process.cpuUsage()
    ${load}('${name}')
    const { user, system } = process.cpuUsage(before)
    console.log((user + system) / 1000)`
  const type = how === 'require' ? 'commonjs' : 'module'
  const cwd = fileURLToPath(new URL(`../packages/${from}`, import.meta.url))
  return Number(execFileSync(process.execPath, [`--input-type=${type}`, '--eval', code], { cwd }))
}

const times = new Map(imports.map((each) => [each, { 'import()': [] as number[], require: [] as number[] }]))
for (let round = 0; round < rounds; round++) {
  progress(`round ${round + 1} of ${rounds}`)
  for (const how of ways) {
    for (const [each, measured] of times) measured[how].push(importMs(each, how))
  }
}
const timesOf = (each: Import, how: Loader) => times.get(each)?.[how] ?? []
const inZods = (each: Import, how: Loader) => ratios(timesOf(each, how), timesOf(yardstick, how))

publish({
  title: `CPU of an import, ${rounds} rounds`,
  columns: ways.flatMap((how) => [
    { name: how, unit: 'ms', digits: 1 },
    { name: `${how} of zod's`, unit: '×', digits: 2 },
  ]),
  rows: imports.map((each) => ({
    name: each.after ? `${each.name} after ${each.after}` : each.name,
    cells: Object.fromEntries(
      ways.flatMap((how) => [
        [how, timesOf(each, how)],
        [`${how} of zod's`, inZods(each, how)],
      ]),
    ),
  })),
  verdicts: ways.flatMap((how) =>
    adapters.map((each) => ({
      name: `CPU, ${how} of ${each.name} / of zod`,
      values: inZods(each, how),
      limit: limitInZods,
    })),
  ),
})
