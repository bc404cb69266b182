// Runs histories on core with each fault of `mutants.ts`, and prints how long it takes until an invariant is violated:
// `node test/simulation/kill-mutants.ts [seconds] [name of one fault]`.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Mutant, mutants } from './mutants.ts'

const [seconds = '600', only] = process.argv.slice(2)
const imports = ['../docs/source-imports.mjs', './mutated-core.ts']
let survivors = 0
for (const [name, mutant] of Object.entries<Mutant>(mutants)) {
  if (only !== undefined && name !== only) continue
  const startedMs = performance.now()
  const { exitCode, output } = await simulateWith(name, mutant)
  const [violation] = output.split('\n').filter((line) => line.startsWith('VIOLATION'))
  if (!violation) survivors++
  const took = `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
  console.log(`${name}: ${violation ?? `survived, exit code ${exitCode}`} (${took})`)
}
process.exitCode = survivors === 0 ? 0 : 1

function simulateWith(
  name: string,
  { kinds }: Mutant,
): Promise<{ exitCode: number | string; output: string }> {
  const args = [
    '--disable-warning=ExperimentalWarning',
    ...imports.flatMap((path) => ['--import', new URL(path, import.meta.url).href]),
    fileURLToPath(new URL('./simulate.ts', import.meta.url)),
    ...['--stop', '--seconds', seconds],
    ...(kinds === undefined ? [] : ['--kinds', kinds]),
  ]
  const env = { ...process.env, CORE_MUTANT: name }
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ exitCode: error?.code ?? 0, output: stdout + stderr })
    })
  })
}
