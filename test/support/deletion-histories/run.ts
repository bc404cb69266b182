// Runs histories in its own process until one fails, and prints the failed ones as JSON: `node run.ts 1 300` for the
// seeds 1 to 300.

import { runHistories } from './histories.ts'

const [first = 1, last = 300] = process.argv.slice(2).map(Number)
let failed: unknown[] = []
for (let seed = first; seed <= last && failed.length === 0; seed++) {
  ;({ failed } = await runHistories(seed, seed))
}
console.log(JSON.stringify({ failed }))
