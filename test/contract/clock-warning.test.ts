import { createReceiver } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'

const event = sampleEvent('organization.directory.user_created')

/** Returns the clock warnings after attempts with timestamps of these ages in seconds. */
async function warningsAfter(...agesSeconds: number[]) {
  const log = recordingLogger()
  const receiver = createReceiver({ secret: TEST_SECRET, logger: log, onUserUpserted: () => {} })
  for (const age of agesSeconds) {
    const at = new Date(Date.now() - age * 1000)
    await receiver.receive({ url: '/', ...signDelivery(event, { at }) })
  }
  return log.lines.filter(({ fields }) => 'ageSeconds' in fields)
}

test('the log warns once if the attempts are over 30 s old', async () => {
  const lines = await warningsAfter(1, 90, 120)
  expect(lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('Synchronize') }])
  expect(lines[0]?.fields.ageSeconds).toBeGreaterThanOrEqual(90)
})

test('the log warns of attempts from the future', async () => {
  expect(await warningsAfter(-90)).toHaveLength(1)
})

test('the log does not warn of attempts that are 20 s old', async () => {
  expect(await warningsAfter(20, -20)).toEqual([])
})

test('the log does not warn of attempts without a valid signature', async () => {
  const log = recordingLogger()
  const receiver = createReceiver({ secret: TEST_SECRET, logger: log, onUserUpserted: () => {} })
  const { headers, ...delivery } = signDelivery(event, { at: new Date(Date.now() - 90_000) })
  await receiver.receive({ url: '/', ...delivery, headers: { ...headers, 'webhook-signature': 'v1,AAAA' } })
  expect(log.lines.filter(({ fields }) => 'ageSeconds' in fields)).toEqual([])
})
