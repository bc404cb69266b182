import { createDispatcher, type Ledger } from '@scalekit-scim/core'
import { createFakeClock } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'

const resource = 'user:org_1:diruser_1'

/** A Keyv without compare-and-set, and the ledgers of two processes on it. */
function sharedStore() {
  const clock = createFakeClock()
  const data = new Map<string, string>()
  let afterSet: (key: string) => Promise<unknown> = async () => {}
  const ledgerOf = (isDisturbed: boolean): Ledger => {
    const keyv = {
      get: async (key: string) => data.get(key),
      set: async (key: string, value: string) => {
        data.set(key, value)
        if (isDisturbed) await afterSet(key)
        return true
      },
      delete: async (key: string) => data.delete(key),
    }
    return createDispatcher({ store: keyv, namespace: 'races', logger: false, clock, onEvent: () => {} })
      .ledger
  }
  return {
    clock,
    data,
    mine: ledgerOf(true),
    other: ledgerOf(false),
    /** Runs the work once, after this process has written a key that contains `part`, and before it reads it back. */
    afterWriteOf(part: string, work: () => Promise<unknown>) {
      afterSet = async (key) => {
        if (!key.includes(part)) return
        afterSet = async () => {}
        await work()
      }
    },
  }
}

/** Writes another owner's claim of the message, as a process does that has read the message as unseen. */
function takeMessage(data: Map<string, string>, untilMs: number): void {
  data.set('{scim:races}:m:msg_1', JSON.stringify({ token: 'other', done: false, untilMs }))
}

test('if another process replaces a message while it is claimed, the message is in flight', async () => {
  const { clock, data, mine, other, afterWriteOf } = sharedStore()
  afterWriteOf('}:m:', async () => takeMessage(data, clock.now() + 60_000))
  const request = { token: 'mine', messageId: 'msg_1', resource, leaseSeconds: 60 }
  expect(await mine.begin(request)).toEqual({ state: 'in-flight' })

  // The half of the claim that was written does not block the resource until the end of its lease.
  const next = { token: 'next', messageId: 'msg_2', resource, leaseSeconds: 60 }
  expect(await other.begin(next)).toEqual({ state: 'busy' })
  await clock.advance(1000)
  expect((await other.begin(next)).state).toBe('begun')
})

test('if another process replaces a turn while it is taken, the resource is busy', async () => {
  const { data, clock, mine, afterWriteOf } = sharedStore()
  const turn = { token: 'other', untilMs: clock.now() + 60_000 }
  afterWriteOf('}:r:', async () => {
    data.set(`{scim:races}:r:${resource}`, JSON.stringify({ fence: 1, turn }))
  })
  const request = { token: 'mine', messageId: 'msg_1', resource, leaseSeconds: 60 }
  expect(await mine.begin(request)).toEqual({ state: 'busy' })
  expect([...data.keys()].filter((key) => key.includes('}:m:'))).toEqual([])
})

test('a write that does not change the stored value is a failure of the store, and not a lost race', async () => {
  const { clock, data, mine, afterWriteOf } = sharedStore()
  const request = { token: 'mine', messageId: 'msg_1', leaseSeconds: 60 }
  takeMessage(data, clock.now() - 1000)
  const before = data.get('{scim:races}:m:msg_1') ?? ''
  afterWriteOf('}:m:', async () => data.set('{scim:races}:m:msg_1', before))
  await expect(mine.begin(request)).rejects.toThrow('could not be read back')
})
