// Runs histories in its own process, and prints the results as JSON: `node run.ts 1 300` for the seeds 1 to 300.

import { runHistories } from './histories.ts'

const [first = 1, last = 300] = process.argv.slice(2).map(Number)
console.log(JSON.stringify(await runHistories(first, last)))
