import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { sized } from '../support/sizes.ts'
import { documentedCauses } from './documented-causes.ts'
import { type HistoryResult, runHistory } from './history.ts'
import { profiles, storeKinds } from './kinds.ts'
import { planOf } from './plan.ts'
import { Tally } from './tally.ts'

const seeds = sized(15, 2000)
const cells = storeKinds.flatMap((kind) => profiles.map((profile) => ({ kind, profile })))

describe(`${seeds} histories of each kind and profile`, () => {
  const tally = new Tally()
  const failed: HistoryResult[] = []

  beforeAll(async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      for (const { kind, profile } of cells) {
        const result = await runHistory(planOf(seed, kind, profile))
        tally.add(result)
        if (result.findings.violations.length > 0) failed.push(result)
      }
    }
  }, 3_600_000)

  test('no invariant is violated', () => {
    const shown = failed.map(({ plan: { seed, kind, profile }, findings }) => ({
      command: `npm run simulate -- --seed ${seed} --count 1 --kinds ${kind} --profiles ${profile} --story`,
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
    'fault flaky',
    'fault lose',
    'fault forget',
    'fault set-clock',
    'handler dead',
    'handler failed',
    'handler dropped',
    'handler running',
    'run again',
    'signal: the lease ran out',
    'signal: the lease was lost',
    'signal: handlerTimeoutSeconds have passed',
    'signal: the receiver was closed',
    'outcome processed',
    'outcome duplicate',
    'outcome stale',
    'outcome dropped',
    'outcome in-flight',
    'outcome busy',
    'outcome deadline',
    'outcome lost',
    'outcome store-unavailable',
    'outcome closed',
    'outcome handler-failed',
    'outcome unhandled',
    'outcome body-timeout',
    'commit pending',
    'messages recorded',
  ])('the histories contain: %s', (name) => {
    expect(tally.of(name)).toBeGreaterThan(0)
  })
})

test('a seed always gives the same story, with and without turns of the event loop', async () => {
  for (const { kind, profile } of cells) {
    const plan = planOf(7, kind, profile)
    const { story } = await runHistory(plan, { isTold: true })
    const repeated = await runHistory(plan, { isTold: true })
    expect(repeated.story, `${kind}, ${profile}`).toEqual(story)
    const strict = await runHistory(plan, { isTold: true, isStrict: true })
    expect(strict.story, `${kind}, ${profile}, strict`).toEqual(story)
  }
})

test.each(Object.entries(documentedCauses))('the documentation names the cause "%s"', (_, [page, text]) => {
  const documentation = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  expect(documentation).toContain(text)
})
