// Runs histories until one has a violation, and prints it as JSON: `node find-violation.ts race,rejoin 60` for at most
// 60 seconds.

import { flavours } from './flavours.ts'
import { runSyncHistory } from './history.ts'
import { planOf } from './plan.ts'

const [names = '', seconds = '60'] = process.argv.slice(2)
const chosen = flavours.filter((flavour) => names.split(',').includes(flavour))
const startedMs = performance.now()
const secondsPassed = () => (performance.now() - startedMs) / 1000

let found: unknown
for (let seed = 1; !found && secondsPassed() < Number(seconds); seed++) {
  for (const flavour of chosen) {
    if (found) break
    const [violation] = (await runSyncHistory(planOf(seed, flavour))).findings.violations
    if (violation) found = { seed, flavour, seconds: Math.round(secondsPassed()), ...violation }
  }
}
console.log(JSON.stringify(found ?? null))
