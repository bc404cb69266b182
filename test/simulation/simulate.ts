// Runs random histories of webhooks until the time is over: `npm run simulate -- --help`.

import { parseArgs } from 'node:util'
import { type HistoryResult, runHistory } from './history.ts'
import { type Profile, profiles, type StoreKind, storeKinds } from './kinds.ts'
import { planOf } from './plan.ts'
import { shrink } from './shrink.ts'
import { Tally } from './tally.ts'

const help = `npm run simulate -- [options]

  --sync            run histories of the directory sync: see --sync --help
  --seconds <n>     how long new histories begin (default: 60)
  --seed <n>        the first seed (default: 1)
  --count <n>       the number of seeds
  --kinds <list>    of ${storeKinds.join(', ')}
  --profiles <list> of ${profiles.join(', ')}
  --strict          give each event a turn of the real event loop (slower)
  --stop            stop after the first history with a violation
  --story           print the story of each history
  --shrink          shrink the first history with a violation, and print its story
`

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: 'Infinity' },
    kinds: { type: 'string', default: storeKinds.join() },
    profiles: { type: 'string', default: profiles.join() },
    strict: { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log(help)
else process.exitCode = await simulate()

async function simulate(): Promise<number> {
  const tally = new Tally()
  const failed: HistoryResult[] = []
  const options = { isStrict: values.strict, isTold: values.story }
  const startedMs = performance.now()
  const seconds = () => (performance.now() - startedMs) / 1000
  for (const [seed, kind, profile] of histories()) {
    if (seconds() > number('seconds')) break
    const result = await runHistory(planOf(seed, kind, profile), options)
    tally.add(result)
    if (values.story) print(result)
    if (result.findings.violations.length > 0) failed.push(result)
    if (values.stop && failed.length > 0) break
    if (process.stderr.isTTY && tally.histories % 100 === 0) {
      process.stderr.write(`\r${tally.histories} histories, seed ${seed}, ${failed.length} failed `)
    }
  }
  if (values.shrink && failed[0]) await printShrunk(failed[0])
  printSummary(tally, failed, seconds())
  return failed.length > 0 ? 1 : 0
}

function* histories(): Generator<[seed: number, kind: StoreKind, profile: Profile]> {
  const chosen = chosenOf('kinds', storeKinds).flatMap((kind) =>
    chosenOf('profiles', profiles).map((profile) => [kind, profile] as const),
  )
  const first = number('seed')
  for (let seed = first; seed < first + number('count'); seed++) {
    for (const [kind, profile] of chosen) yield [seed, kind, profile]
  }
}

/** Prints the plan and the story of a history. */
function print({ plan, story }: HistoryResult): void {
  console.log(JSON.stringify(plan))
  console.log(story.join('\n'))
}

async function printShrunk({ plan, findings }: HistoryResult): Promise<void> {
  const invariant = findings.violations[0]?.invariant
  const smallest = await shrink(plan, async (smaller) => {
    const { violations } = (await runHistory(smaller)).findings
    return violations.some((violation) => violation.invariant === invariant)
  })
  print(await runHistory(smallest, { isTold: true }))
}

function printSummary(tally: Tally, failed: HistoryResult[], seconds: number): void {
  const { histories, events, virtualMs } = tally
  console.log(`\nOccurrences\n${table(tally.occurrences)}`)
  console.log(`\nDocumented causes for which an invariant did not hold\n${table(tally.causes)}`)
  const perSecond = (count: number) => Math.round(count / seconds)
  console.log(
    `\n${histories} histories in ${Math.round(seconds)} s: ${perSecond(histories)} histories/s, ` +
      `${perSecond(virtualMs / 3_600_000)} virtual hours/s, ${perSecond(events)} events/s`,
  )
  for (const [name, first, count] of violationsOf(failed)) {
    const { seed, kind, profile } = first
    console.log(
      `VIOLATION ${name} in ${count} histories: --seed ${seed} --kinds ${kind} --profiles ${profile}`,
    )
  }
  console.log(`${failed.length} histories with violations`)
}

/** Each violated invariant with its first plan, and the number of its histories, by kind and profile. */
function violationsOf(
  failed: HistoryResult[],
): [name: string, first: HistoryResult['plan'], count: number][] {
  const found = new Map<string, HistoryResult['plan'][]>()
  for (const { plan, findings } of failed) {
    for (const invariant of new Set(findings.violations.map((violation) => violation.invariant))) {
      const name = `'${invariant}' (${plan.kind}, ${plan.profile})`
      found.set(name, [...(found.get(name) ?? []), plan])
    }
  }
  return [...found].flatMap(([name, [first, ...others]]) => (first ? [[name, first, others.length + 1]] : []))
}

function table(counts: [name: string, count: number][]): string {
  return counts.map(([name, count]) => `${String(count).padStart(9)}  ${name}`).join('\n')
}

function chosenOf<Name extends string>(option: 'kinds' | 'profiles', names: readonly Name[]): Name[] {
  const wanted = values[option].split(',')
  const unknown = wanted.find((name) => !names.some((known) => known === name))
  if (unknown !== undefined) throw new Error(`--${option}: ${unknown} is not one of ${names.join(', ')}`)
  return names.filter((name) => wanted.includes(name))
}

function number(option: 'seconds' | 'seed' | 'count'): number {
  const value = Number(values[option])
  if (Number.isNaN(value)) throw new Error(`--${option}: ${values[option]} is not a number`)
  return value
}
