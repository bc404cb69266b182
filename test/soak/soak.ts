// Many long runs, one after the other: `pnpm soak`, or `pnpm soak 10 5000 7` for ten runs with 5,000 changes each, from
// seed 7 on.
import { type LifeReport, live } from '../support/life/life.ts'

const [seeds = 50, changes = 20_000, first = 1] = process.argv.slice(2).map(Number)
let wrong = 0
for (let seed = first; seed < first + seeds; seed++) {
  const from = performance.now()
  const outcome = await live({ seed, changes, onProgress: (done) => show(seed, done) }).then(
    told,
    (error) => {
      wrong++
      return `FAILED: ${error instanceof Error ? error.message : error}`
    },
  )
  const seconds = Math.round((performance.now() - from) / 1000)
  console.log(`seed ${seed}: ${outcome}, ${changes} changes, ${seconds} s`)
}
console.log(`${seeds - wrong} of ${seeds} lives ended equal`)
process.exitCode = wrong === 0 ? 0 : 1

function told({ kills, passes, unequal, harmed, story }: LifeReport): string {
  const befell = `${kills} kills, ${passes} passes`
  if (unequal.length + harmed.length === 0) return `equal after ${befell}`
  wrong++
  console.log(unequal.slice(0, 5), harmed.slice(0, 5))
  console.log(story)
  return `${unequal.length} UNEQUAL, ${harmed.length} HARMED after ${befell}`
}

/** Shows the progress on a terminal. */
function show(seed: number, done: number): void {
  if (process.stderr.isTTY && done % 100 === 0) {
    process.stderr.write(`\rseed ${seed}: ${done} of ${changes} changes `)
  }
}
