import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { runHistories } from '../support/deletion-histories/histories.ts'
import { runHistory } from '../support/deletion-histories/history.ts'
import { type MutantName, mutants } from '../support/deletion-histories/mutants.ts'
import { sized } from '../support/sizes.ts'

/** `HISTORY_SEED=7 npm test -- deletion-histories` repeats one history, and prints it. */
const only = process.env.HISTORY_SEED ? Number(process.env.HISTORY_SEED) : undefined
const count = sized(300, 5000)
const [first, last] = only === undefined ? [1, count] : [only, only]

test(`${count} histories delete no listed user, and delete or hold every user who left`, {
  timeout: 600_000,
}, async () => {
  if (only !== undefined) console.log((await runHistory(only)).story.join('\n'))
  const { failed, firstStory, deletions, stateWrites, crashes, held } = await runHistories(first, last)
  expect(failed, `${failed.length} histories failed. The first:\n${firstStory}`).toEqual([])

  // The histories must contain the situations that they test.
  if (only !== undefined) return
  expect(deletions).toBeGreaterThan(5 * count)
  expect(stateWrites).toBeGreaterThan(5 * count)
  expect(crashes).toBeGreaterThan(0.1 * count)
  for (const reason of reasons) expect(held[reason], reason).toBeGreaterThan(0.05 * count)
})

const reasons = [
  'over-limit',
  'over-half',
  'nothing-listed',
  'directory-removed',
  'no-origin',
  'no-history',
  'several-directories',
  'unsettled',
]

test.each(Object.keys(mutants).filter(isNamed))(
  'the histories detect the fault "%s" in the sync',
  { timeout: 300_000 },
  async (mutant) => {
    const failed = await failuresWith(mutant)
    expect(failed.length).toBeGreaterThan(0)
  },
)

function isNamed(name: string): name is MutantName {
  return name in mutants
}

/** Runs at most 300 histories in a process whose sync has the fault, until a history fails. */
async function failuresWith(mutant: MutantName): Promise<unknown[]> {
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const imports = ['../docs/source-imports.mjs', '../support/deletion-histories/mutated-sources.ts']
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...imports.flatMap((name) => ['--import', new URL(name, import.meta.url).href]),
      path('../support/deletion-histories/run.ts'),
      '1',
      '300',
    ],
    { env: { ...process.env, SYNC_MUTANT: mutant }, maxBuffer: 2 ** 28 },
  )
  const { failed }: { failed: unknown[] } = JSON.parse(stdout)
  return failed
}
