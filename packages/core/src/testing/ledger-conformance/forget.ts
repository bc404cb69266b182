import assert from 'node:assert/strict'
import { at, type LedgerChecks, shortLeaseSeconds, someId } from './store.ts'

export const forgetChecks: LedgerChecks = {
  'forget removes a message, done or in flight, and returns whether it existed': async (store) => {
    for (const { messageId } of [await store.applied(), await store.begun()]) {
      assert.equal(await store.ledger.forget(messageId), true)
      assert.equal(await store.ledger.forget(messageId), false)
      await store.begun({ messageId })
    }
  },

  'forget returns false for expired messages and resources, and for lapsed claims': async (store) => {
    const done = await store.begunOnResource({ occurredAt: at('09:00') })
    const retention = { retentionSeconds: shortLeaseSeconds, watermarkRetentionSeconds: shortLeaseSeconds }
    await store.expectCommit(done, 'ok', retention)
    const lapsing = await store.begun({ leaseSeconds: shortLeaseSeconds })
    await store.pastShortLease()
    assert.equal(await store.ledger.forget(done.messageId), false)
    assert.equal(await store.ledger.forget(lapsing.messageId), false)
    assert.equal(await store.ledger.forgetResource(done.resource), false)
  },

  'forgetResource removes the turn and the watermark, and returns whether the resource existed': async (
    store,
  ) => {
    const resource = someId('user')
    await store.applied({ resource, occurredAt: at('09:05') })
    await store.begun({ resource, occurredAt: at('09:06') })
    assert.equal(await store.ledger.forgetResource(resource), true)
    assert.equal(await store.ledger.forgetResource(resource), false)
    await store.begun({ resource, occurredAt: at('09:00') })
  },

  'if another claim begins after `forgetResource`, the older claim is lost': async (store) => {
    for (let round = 0; round < 20; round++) {
      const late = await store.begunOnResource()
      await store.ledger.forgetResource(late.resource)
      const next = await store.begun({ resource: late.resource })
      assert.ok(next.fence > late.fence)
      await store.expectCommit(late, 'lost')
      await store.expectCommit(next, 'ok')
    }
  },
}
