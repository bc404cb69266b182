import { expect, test } from 'vitest'
import { live } from '../support/life/life.ts'
import { sized } from '../support/sizes.ts'

/** `SOAK_SEED=7 npm test -- convergence` repeats the random choices of a seed. */
const seeds = process.env.SOAK_SEED ? [Number(process.env.SOAK_SEED)] : [1, 2, 3, 4, 5].slice(0, sized(1, 5))

test.each(seeds)(
  'after two final full passes, the application equals the directories, and no listed user is gone: seed %i',
  { timeout: 600_000 },
  async (seed) => {
    const { unequal, harmed, story, kills, passes } = await live({ seed, changes: sized(2000, 4000) })
    console.log(`seed ${seed}: ${kills} kills, ${passes} passes`)
    expect(harmed, story).toEqual([])
    expect(unequal, story).toEqual([])
    expect(kills).toBeGreaterThan(1)
  },
)
