import type { SyncReport } from '@scalekit-scim/core/sync'
import { expect, test } from 'vitest'
import { Company, heldIn } from '../support/deletion-histories/company.ts'

function deletedIn({ totals }: SyncReport): number {
  return totals.users.deleted
}

test('if 6 % of the users leave in a week, about 1 % a day, their deletions need no approval', async () => {
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

test('if 6 % of the users leave in one day, they need one approval, and the next user needs none', async () => {
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

test('slow deletions stop at 20 % in 30 days', async () => {
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

test('five consecutive passes delete no more than one day allows: 15 of 75 missing users out of 200', async () => {
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
  'next to %i directory users, three users of the application prevent deletions, and are never deleted',
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
