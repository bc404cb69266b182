import { createReceiver } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'

const event = sampleEvent('organization.directory.user_created')

/** What is warned of when attempts come whose time is so many seconds before ours. */
async function warningsAfter(...agesSeconds: number[]) {
  const log = recordingLogger()
  const receiver = createReceiver({ secret: TEST_SECRET, logger: log, onUserUpserted: () => {} })
  for (const age of agesSeconds) {
    const at = new Date(Date.now() - age * 1000)
    await receiver.receive({ url: '/', ...signDelivery(event, { at }) })
  }
  return log.lines.filter(({ fields }) => 'ageSeconds' in fields)
}

test('a clock over 30 s from the one that signed is warned of, once', async () => {
  const lines = await warningsAfter(1, 90, 120)
  expect(lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('Synchronise') }])
  expect(lines[0]?.fields.ageSeconds).toBeGreaterThanOrEqual(90)
})

test('so is one that is behind', async () => {
  expect(await warningsAfter(-90)).toHaveLength(1)
})

test('one that is within 20 s is not', async () => {
  expect(await warningsAfter(20, -20)).toEqual([])
})

test('nor is what nobody has signed: that is anybody’s word', async () => {
  const log = recordingLogger()
  const receiver = createReceiver({ secret: TEST_SECRET, logger: log, onUserUpserted: () => {} })
  const { headers, ...delivery } = signDelivery(event, { at: new Date(Date.now() - 90_000) })
  await receiver.receive({ url: '/', ...delivery, headers: { ...headers, 'webhook-signature': 'v1,AAAA' } })
  expect(log.lines.filter(({ fields }) => 'ageSeconds' in fields)).toEqual([])
})
