// The common parts of the commands that simulate webhooks and the sync.

import type { CountedHistory, Counts } from './counts.ts'

export const commonOptions = {
  seconds: { type: 'string', default: '60' },
  seed: { type: 'string', default: '1' },
  count: { type: 'string', default: 'Infinity' },
  strict: { type: 'boolean', default: false },
  stop: { type: 'boolean', default: false },
  story: { type: 'boolean', default: false },
  shrink: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

export const commonHelp = `  --seconds <n>     how long new histories begin (default: 60)
  --seed <n>        the first seed (default: 1)
  --count <n>       the number of seeds
  --strict          give each event a turn of the real event loop (slower)
  --stop            stop after the first history with a violation
  --story           print the story of each history
  --shrink          shrink the first history with a violation, and print its story
  --help            print this text
`

type Values = Readonly<Record<keyof typeof commonOptions, string | boolean>>

interface SeededPlan {
  seed: number
}

interface History<Plan> extends CountedHistory {
  plan: Plan
  story: readonly string[]
}

export interface Simulation<Plan extends SeededPlan, Result extends History<Plan>> {
  tally: Counts & { add(result: Result): void }
  /** The plans of one seed. */
  plansOf(seed: number): Iterable<Plan>
  run(plan: Plan, options?: { isStrict: boolean; isTold: boolean }): Promise<Result>
  shrink(plan: Plan, isBad: (smaller: Plan) => Promise<boolean>): Promise<Plan>
  /** The options that select the plan, in addition to its seed. */
  optionsOf(plan: Plan): string
}

type Failed<Plan> = Pick<History<Plan>, 'plan' | 'findings'>

/** Runs histories until the time is over, and prints their results. Returns the exit code. */
export async function simulate<Plan extends SeededPlan, Result extends History<Plan>>(
  values: Values,
  simulation: Simulation<Plan, Result>,
): Promise<number> {
  const { tally } = simulation
  const failed: Failed<Plan>[] = []
  const options = { isStrict: values.strict === true, isTold: values.story === true }
  const lastMs = numberOf('seconds', values) * 1000
  const startedMs = performance.now()
  const tookMs = () => performance.now() - startedMs
  let isInterrupted = false
  process.once('SIGINT', () => {
    isInterrupted = true
  })
  for (const plan of plansIn(values, simulation)) {
    if (tookMs() > lastMs || isInterrupted) break
    const result = await simulation.run(plan, options)
    const { findings } = result
    tally.add(result)
    if (values.story) print(result)
    if (findings.violations.length > 0) failed.push({ plan, findings })
    if (values.stop && failed.length > 0) break
    if (process.stderr.isTTY && tally.histories % 100 === 0) {
      process.stderr.write(`\r${tally.histories} histories, seed ${plan.seed}, ${failed.length} failed `)
    }
  }
  if (values.shrink && failed[0]) await printShrunk(failed[0], simulation)
  printSummary(tally, tookMs() / 1000)
  printViolations(failed, simulation)
  return failed.length > 0 ? 1 : 0
}

/** Returns the names that an option selects. @throws if a name is unknown */
export function chosenOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name[] {
  const wanted = text.split(',')
  const unknown = wanted.find((name) => !names.some((known) => known === name))
  if (unknown !== undefined) throw new Error(`--${option}: ${unknown} is not one of ${names.join(', ')}`)
  return names.filter((name) => wanted.includes(name))
}

function* plansIn<Plan extends SeededPlan>(
  values: Values,
  { plansOf }: Pick<Simulation<Plan, History<Plan>>, 'plansOf'>,
): Generator<Plan> {
  const first = numberOf('seed', values)
  for (let seed = first; seed < first + numberOf('count', values); seed++) yield* plansOf(seed)
}

/** Prints the plan and the story of a history. */
function print<Plan>({ plan, story }: History<Plan>): void {
  console.log(JSON.stringify(plan))
  console.log(story.join('\n'))
}

async function printShrunk<Plan extends SeededPlan, Result extends History<Plan>>(
  { plan, findings }: Failed<Plan>,
  { run, shrink }: Simulation<Plan, Result>,
): Promise<void> {
  const invariant = findings.violations[0]?.invariant
  const smallest = await shrink(plan, async (smaller) => {
    const { violations } = (await run(smaller)).findings
    return violations.some((violation) => violation.invariant === invariant)
  })
  print(await run(smallest, { isStrict: false, isTold: true }))
}

function printSummary({ histories, events, virtualMs, occurrences, causes }: Counts, seconds: number): void {
  console.log(`\nOccurrences\n${table(occurrences)}`)
  console.log(`\nDocumented causes for which an invariant did not hold\n${table(causes)}`)
  const perSecond = (count: number) => Math.round(count / seconds)
  console.log(
    `\n${histories} histories in ${Math.round(seconds)} s: ${perSecond(histories)} histories/s, ` +
      `${perSecond(virtualMs / 3_600_000)} virtual hours/s, ${perSecond(events)} events/s`,
  )
}

/** Prints each violated invariant, with the first history and the number of histories. */
function printViolations<Plan extends SeededPlan>(
  failed: readonly Failed<Plan>[],
  { optionsOf }: Pick<Simulation<Plan, History<Plan>>, 'optionsOf'>,
): void {
  const found = new Map<string, { seed: number; detail: string; count: number }>()
  for (const { plan, findings } of failed) {
    const { seed } = plan
    const details = new Map(findings.violations.map(({ invariant, detail }) => [invariant, detail]))
    for (const [invariant, detail] of details) {
      const name = `'${invariant}' ${optionsOf(plan)}`
      const first = found.get(name) ?? { seed, detail, count: 0 }
      found.set(name, { ...first, count: first.count + 1 })
    }
  }
  for (const [name, { seed, detail, count }] of found) {
    console.log(`VIOLATION ${name} --seed ${seed} --count 1 (in ${count} histories): ${detail}`)
  }
  console.log(`${failed.length} histories with violations`)
}

function table(counts: [name: string, count: number][]): string {
  return counts.map(([name, count]) => `${String(count).padStart(9)}  ${name}`).join('\n')
}

function numberOf(option: 'seconds' | 'seed' | 'count', values: Values): number {
  const value = Number(values[option])
  if (Number.isNaN(value)) throw new Error(`--${option}: ${values[option]} is not a number`)
  return value
}
