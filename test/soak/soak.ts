// Many long lives, one after the other: `pnpm soak`, or `pnpm soak 10 5000 7` for ten of 5 000 changes from seed 7 on.
import { live } from '../support/life/life.ts'

const [seeds = 50, changes = 20_000, first = 1] = process.argv.slice(2).map(Number)
let wrong = 0
for (let seed = first; seed < first + seeds; seed++) {
  const from = performance.now()
  const report = await live({
    seed,
    changes,
    onProgress: (done) => {
      if (process.stderr.isTTY && done % 100 === 0)
        process.stderr.write(`\rseed ${seed}: ${done} of ${changes} `)
    },
  })
  const { kills, passes, unequal, harmed, story } = report
  const seconds = Math.round((performance.now() - from) / 1000)
  const verdict =
    unequal.length + harmed.length === 0 ? 'equal' : `${unequal.length} UNEQUAL, ${harmed.length} HARMED`
  console.log(
    `seed ${seed}: ${verdict} after ${changes} changes, ${kills} kills, ${passes} passes, ${seconds} s`,
  )
  if (verdict === 'equal') continue
  wrong++
  console.log(unequal.slice(0, 5), harmed.slice(0, 5))
  console.log(story)
}
console.log(`${seeds - wrong} of ${seeds} lives ended equal`)
process.exitCode = wrong === 0 ? 0 : 1
