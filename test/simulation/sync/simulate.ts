// Runs random histories of the sync until the time is over: `npm run simulate -- --sync --help`.

import { parseArgs } from 'node:util'
import { type Flavour, flavours } from './flavours.ts'
import { runSyncHistory, type SyncHistoryResult } from './history.ts'
import { planOf } from './plan.ts'
import { shrinkSync } from './shrink.ts'
import { SyncTally } from './tally.ts'

const help = `npm run simulate -- --sync [options]

  --seconds <n>     how long new histories begin (default: 60)
  --seed <n>        the first seed (default: 1)
  --count <n>       the number of seeds
  --flavours <list> of ${flavours.join(', ')}
  --stop            stop after the first history with a violation
  --strict          give each event a turn of the real event loop (slower)
  --story           print the story of each history
  --shrink          shrink the first history with a violation, and print its story
  --help            print this text
`

const { values } = parseArgs({
  options: {
    // The launcher has chosen this file for it.
    sync: { type: 'boolean' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: 'Infinity' },
    flavours: { type: 'string', default: flavours.join() },
    stop: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log(help)
else process.exitCode = await simulate()

async function simulate(): Promise<number> {
  const tally = new SyncTally()
  const failed: Pick<SyncHistoryResult, 'plan' | 'findings'>[] = []
  const options = { isStrict: values.strict, isTold: values.story }
  const startedMs = performance.now()
  const seconds = () => (performance.now() - startedMs) / 1000
  for (const [seed, flavour] of histories()) {
    if (seconds() > number('seconds')) break
    const result = await runSyncHistory(planOf(seed, flavour), options)
    const { plan, findings } = result
    tally.add(result)
    if (values.story) print(result)
    if (findings.violations.length > 0) failed.push({ plan, findings })
    if (values.stop && failed.length > 0) break
    if (process.stderr.isTTY && tally.histories % 50 === 0) {
      process.stderr.write(`\r${tally.histories} histories, seed ${seed}, ${failed.length} failed `)
    }
  }
  if (values.shrink && failed[0]) await printShrunk(failed[0])
  printSummary(tally, failed, seconds())
  return failed.length > 0 ? 1 : 0
}

function* histories(): Generator<[seed: number, flavour: Flavour]> {
  const wanted = values.flavours.split(',')
  const unknown = wanted.find((name) => !flavours.some((known) => known === name))
  if (unknown !== undefined) throw new Error(`--flavours: ${unknown} is not one of ${flavours.join(', ')}`)
  const chosen = flavours.filter((name) => wanted.includes(name))
  const first = number('seed')
  for (let seed = first; seed < first + number('count'); seed++) {
    for (const flavour of chosen) yield [seed, flavour]
  }
}

/** Prints the plan and the story of a history. */
function print({ plan, story }: SyncHistoryResult): void {
  console.log(JSON.stringify(plan))
  console.log(story.join('\n'))
}

async function printShrunk({ plan, findings }: Pick<SyncHistoryResult, 'plan' | 'findings'>): Promise<void> {
  const invariant = findings.violations[0]?.invariant
  const smallest = await shrinkSync(plan, async (smaller) => {
    const { violations } = (await runSyncHistory(smaller)).findings
    return violations.some((violation) => violation.invariant === invariant)
  })
  print(await runSyncHistory(smallest, { isTold: true }))
}

function printSummary(
  tally: SyncTally,
  failed: Pick<SyncHistoryResult, 'plan' | 'findings'>[],
  seconds: number,
): void {
  const { histories, events, virtualMs } = tally
  console.log(`\nOccurrences\n${table(tally.occurrences)}`)
  console.log(`\nDocumented causes for which an invariant did not hold\n${table(tally.causes)}`)
  const perSecond = (count: number) => Math.round(count / seconds)
  console.log(
    `\n${histories} histories in ${Math.round(seconds)} s: ${perSecond(histories)} histories/s, ` +
      `${perSecond(virtualMs / 3_600_000)} virtual hours/s, ${perSecond(events)} events/s`,
  )
  const found = new Map<string, { seeds: number[]; detail: string }>()
  for (const { plan, findings } of failed) {
    for (const { invariant, detail } of findings.violations) {
      const name = `'${invariant}' --flavours ${plan.flavour}`
      const one = found.get(name) ?? { seeds: [], detail }
      found.set(name, one)
      if (!one.seeds.includes(plan.seed)) one.seeds.push(plan.seed)
    }
  }
  for (const [name, { seeds, detail }] of found) {
    console.log(
      `VIOLATION ${name} in ${seeds.length} histories: --seed ${seeds.slice(0, 5).join(' ')}: ${detail}`,
    )
  }
  console.log(`${failed.length} histories with violations`)
}

function table(counts: [name: string, count: number][]): string {
  return counts.map(([name, count]) => `${String(count).padStart(9)}  ${name}`).join('\n')
}

function number(option: 'seconds' | 'seed' | 'count'): number {
  const value = Number(values[option])
  if (Number.isNaN(value)) throw new Error(`--${option}: ${values[option]} is not a number`)
  return value
}
