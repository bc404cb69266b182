import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { sized } from '../support/sizes.ts'
import { syncCauses } from './sync/documented-causes.ts'
import { flavours } from './sync/flavours.ts'
import { runSyncHistory, type SyncHistoryResult } from './sync/history.ts'
import { isSyncMutantName, type SyncMutantName, syncMutants } from './sync/mutants.ts'
import { planOf } from './sync/plan.ts'
import { scenarios } from './sync/scenarios.ts'
import { SyncTally } from './sync/tally.ts'

const seeds = sized(20, 2000)

describe(`${seeds} histories of each flavour`, () => {
  const tally = new SyncTally()
  const failed: SyncHistoryResult[] = []

  beforeAll(async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      for (const flavour of flavours) {
        const result = await runSyncHistory(planOf(seed, flavour))
        tally.add(result)
        if (result.findings.violations.length > 0) failed.push(result)
      }
    }
  }, 3_600_000)

  test('no invariant is violated', () => {
    const shown = failed.map(({ plan: { seed, flavour }, findings }) => ({
      command: `npm run simulate -- --sync --seed ${seed} --count 1 --flavours ${flavour} --story`,
      violations: findings.violations,
    }))
    expect(shown).toEqual([])
  })

  test.each([
    'fault crash',
    'fault pause',
    'fault close',
    'fault freeze',
    'fault shut-down',
    'fault lose',
    'fault api-down',
    'fault hide',
    'fault omit',
    'fault leave-out',
    'pass complete',
    'pass incomplete',
    'pass cancelled',
    'pass busy',
    'deletions',
    'approvals',
    'crashes during a pass',
    'webhooks during a pass',
    'webhook processed',
    'webhook stale',
    'webhook duplicate',
    'webhook handler-failed',
    'records stale',
    'records repeated',
    'records returned',
    'held as over-limit',
    'held as over-half',
    'held as nothing-listed',
    'held as directory-removed',
    'held as no-origin',
    'held as no-history',
    'held as several-directories',
    'held as unsettled',
    'directory ERR_SCIM_KNOWN_FOREIGN',
    'directory ERR_SCIM_WALK_SHORT',
  ])('the histories contain: %s', (name) => {
    expect(tally.of(name)).toBeGreaterThan(0)
  })
})

test.each(Object.entries(scenarios))('%s', async (_, { plan, occurs, causes = [], deletions }) => {
  const result = await runSyncHistory(plan, { isTold: true })
  const tally = new SyncTally()
  tally.add(result)
  const story = result.story.filter((line) => !line.includes(' store: ')).join('\n')
  expect(result.findings.violations, story).toEqual([])
  expect(
    tally.causes.map(([name]) => name),
    story,
  ).toEqual(causes)
  for (const name of occurs) expect(tally.of(name), `${name}\n${story}`).toBeGreaterThan(0)
  if (deletions !== undefined) expect(result.deletions, story).toBe(deletions)
})

test('a seed always gives the same story, with and without turns of the event loop', async () => {
  for (const flavour of flavours) {
    const plan = planOf(7, flavour)
    const { story } = await runSyncHistory(plan, { isTold: true })
    const repeated = await runSyncHistory(plan, { isTold: true })
    expect(repeated.story, flavour).toEqual(story)
    const strict = await runSyncHistory(plan, { isTold: true, isStrict: true })
    expect(strict.story, `${flavour}, strict`).toEqual(story)
  }
})

test.each(Object.entries(syncCauses))('the documentation names the cause "%s"', (_, [page, text]) => {
  const documentation = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  expect(documentation).toContain(text)
})

test.each(Object.keys(syncMutants).filter(isSyncMutantName))(
  'the histories detect the fault "%s" in core',
  { timeout: 200_000 },
  async (mutant) => {
    expect(await outputWith(mutant)).toContain('VIOLATION')
  },
)

/** Simulates histories in a process whose core has the fault, until one has a violation. */
function outputWith(mutant: SyncMutantName): Promise<string> {
  const imports = ['../docs/source-imports.mjs', './sync/mutated-sources.ts']
  const args = [
    '--disable-warning=ExperimentalWarning',
    ...imports.flatMap((name) => ['--import', new URL(name, import.meta.url).href]),
    fileURLToPath(new URL('./sync/simulate.ts', import.meta.url)),
    ...['--stop', '--seconds', '120', '--flavours', syncMutants[mutant].flavours.join()],
  ]
  const env = { ...process.env, SYNC_MUTANT: mutant }
  // A violation is an exit code of 1.
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (_, stdout, stderr) => resolve(stdout + stderr))
  })
}
