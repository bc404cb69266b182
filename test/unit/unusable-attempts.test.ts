import { Readable } from 'node:stream'
import { createReceiver } from '@scalekit-scim/core'
import { nodeBody } from '@scalekit-scim/core/adapter'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'

const delivery = signDelivery(sampleEvent('organization.directory.user_created'))

function receiving() {
  const log = recordingLogger()
  const receiver = createReceiver({ secret: TEST_SECRET, logger: log, onUserUpserted: () => {} })
  /** Calls `receive` without types, as JavaScript can. */
  const receive: (attempt: unknown) => ReturnType<typeof receiver.receive> = (attempt) =>
    receiver.receive(attempt as Parameters<typeof receiver.receive>[0])
  return { receive, log }
}

const unusable: [string, unknown, string][] = [
  ['nothing', undefined, 'No attempt was passed'],
  ['no method', { ...delivery, method: undefined }, '`method` is missing. Pass the HTTP method'],
  ['no headers', { ...delivery, headers: undefined }, "`headers` is missing. Pass the request's headers"],
  ['no body', { ...delivery, body: undefined }, '`body` is missing. Pass the bytes as they arrived'],
  ['a parsed body', { ...delivery, body: { type: 'x' } }, '`body` is of type object'],
  ['a body as text', { ...delivery, body: String(delivery.body) }, '`body` is of type string'],
]
test.each(unusable)('receive with %s logs the problem and the fix', async (_name, attempt, advice) => {
  const { receive, log } = receiving()
  expect(await receive(attempt)).toMatchObject({ status: 500, outcome: 'internal' })
  expect(log.lines).toMatchObject([
    { level: 'error', message: expect.stringContaining(advice), fields: { reason: 'unusable-attempt' } },
  ])
  expect(log.text()).not.toContain('report it')
})

test('requests without a body are refused by method or signature', async () => {
  const { receive } = receiving()
  expect((await receive({ method: 'GET', headers: {} })).outcome).toBe('method')
  expect((await receive({ method: 'POST', headers: {} })).outcome).toBe('invalid-signature')
})

test('the log names the fix for a body that was read before', async () => {
  const { receive, log } = receiving()
  const stream = Readable.from([delivery.body])
  for await (const _piece of stream) {
  }
  expect((await receive({ ...delivery, body: nodeBody(stream) })).outcome).toBe('body-consumed')
  expect(log.lines[0]?.message).toContain('Call `receive` before other code reads the request')
})
