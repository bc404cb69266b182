import type { SyncReport } from '@scalekit-scim/core/sync'
import { expect, test } from 'vitest'
import { Company, heldIn } from '../support/deletion-histories/company.ts'

function deletedIn({ totals }: SyncReport): number {
  return totals.users.deleted
}

test('6 % leavers in a week at about 1 % a day are deleted day by day, and nobody is asked', async () => {
  const company = await Company.open(1000)
  for (let day = 0; day < 6; day++) {
    await company.days(1)
    company.leave(10)
    const report = await company.pass()
    expect(heldIn(report)).toEqual([])
    expect(deletedIn(report)).toBe(10)
  }
  expect(company.live()).toHaveLength(940)
})

test('6 % leavers in one day cost one approval, and the next leaver is not blocked', async () => {
  const company = await Company.open(1000)
  company.leave(60)
  await company.days(1)
  const [held, ...others] = heldIn(await company.pass())
  expect(held).toMatchObject({ reason: 'over-limit', count: 60 })
  expect(others).toEqual([])

  await company.days(1)
  company.leave(1)
  const next = await company.pass()
  expect(deletedIn(next)).toBe(1)
  expect(heldIn(next)).toEqual([held])

  const approved = await company.pass({ approve: [String(held?.approval)] })
  expect(deletedIn(approved)).toBe(60)
  expect(heldIn(approved)).toEqual([])
  expect(company.live()).toHaveLength(939)
})

test('a slow drain stops at 20 % in 30 days', async () => {
  const company = await Company.open(1000)
  for (let day = 0; day < 29; day++) {
    await company.days(1)
    company.leave(10)
    await company.pass()
  }
  expect(company.live()).toHaveLength(800)
  const held = heldIn(await company.pass())
  expect(held.reduce((sum, { count }) => sum + count, 0)).toBe(90)
  expect(new Set(held.map(({ reason }) => reason))).toEqual(new Set(['over-limit']))
})

test('five passes in a row delete no more than one day may: 75 of 200 leave, and 15 of them are deleted', async () => {
  const company = await Company.open(200)
  for (let pass = 0; pass < 5; pass++) {
    company.leave(15)
    await company.days(1 / 1440)
    await company.pass()
  }
  expect(company.live()).toHaveLength(185)
  expect(heldIn(await company.pass())).toMatchObject(
    [15, 15, 15, 15].map((count) => ({ reason: 'over-limit', count })),
  )
})

test.each([5000, 40])(
  'three own users beside %i directory users are never deleted, and keep the leavers until `known` is fixed',
  async (people) => {
    const company = await Company.open(people)
    company.signUp('usr_1', 'usr_2', 'usr_3')
    for (let pass = 0; pass < 4; pass++) {
      company.leave(1)
      await company.days(pass)
      const report = await company.pass()
      expect(report.organizations[0]?.directories[0]?.error?.code).toBe('ERR_SCIM_KNOWN_FOREIGN')
      expect(deletedIn(report)).toBe(0)
    }
    expect(company.live()).toEqual(expect.arrayContaining(['usr_1', 'usr_2', 'usr_3']))
    expect(company.live()).toHaveLength(people + 3)

    company.fixKnown()
    expect(deletedIn(await company.pass())).toBe(4)
    expect(company.live()).toHaveLength(people - 4 + 3)
  },
)
