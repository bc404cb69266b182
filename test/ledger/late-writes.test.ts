import { createDispatcher, type Ledger } from '@scalekit-scim/core'
import { createFakeClock } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'

const resource = 'user:org_1:diruser_1'
const retention = { retentionSeconds: 345_600, watermarkRetentionSeconds: 3_024_000 }

/** A ledger over a Keyv whose first write of the resource takes effect when `land` is called. */
function lateStore() {
  const clock = createFakeClock()
  const data = new Map<string, string>()
  let land: (() => void) | undefined
  let isDelayed = true
  const keyv = {
    get: async (key: string) => data.get(key),
    set: async (key: string, value: string) => {
      if (isDelayed && key.includes('}:r:')) {
        isDelayed = false
        await new Promise<void>((resolve) => {
          land = resolve
        })
      }
      data.set(key, value)
      return true
    },
    delete: async (key: string) => data.delete(key),
  }
  const dispatcher = createDispatcher({
    store: keyv,
    namespace: 'late',
    logger: false,
    clock,
    onEvent: () => {},
  })
  return { clock, ledger: dispatcher.ledger, land: () => land?.() }
}

function begin(ledger: Ledger, messageId: string, occurredAt: string) {
  const token = `token.${messageId}`
  return ledger.begin({ token, messageId, resource, occurredAt, deletion: true, leaseSeconds: 12 })
}

test('a claim whose write was late does not replace what a later event has recorded', async () => {
  const { clock, ledger, land } = lateStore()
  const [older, newer] = ['1763888400000000000', '1763888401000000000']
  const late = expect(begin(ledger, 'msg_older', older)).rejects.toThrow('did not answer')
  await clock.advance(2500)
  await late

  const next = begin(ledger, 'msg_newer', newer)
  await clock.advance(100)
  land()
  await clock.advance(1)
  const answer = await next
  if (answer.state !== 'begun') throw new Error(answer.state)
  const claim = { token: 'token.msg_newer', messageId: 'msg_newer', resource, deletion: true, ...answer }
  expect(await ledger.commit(claim, retention)).toBe('ok')

  await clock.advance(20_000)
  expect(await begin(ledger, 'msg_older', older)).toEqual({ state: 'stale' })
})

test('a write that is never answered blocks its resource for at most 30 s', async () => {
  const { clock, ledger } = lateStore()
  const late = expect(begin(ledger, 'msg_1', '1763888400000000000')).rejects.toThrow('did not answer')
  await clock.advance(2500)
  await late

  const tooEarly = expect(begin(ledger, 'msg_2', '1763888401000000000')).rejects.toThrow('too late')
  await clock.advance(30_000)
  await tooEarly
  expect((await begin(ledger, 'msg_2', '1763888401000000000')).state).toBe('begun')
})
