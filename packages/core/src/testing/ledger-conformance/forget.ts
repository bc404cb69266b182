import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  applied,
  at,
  begun,
  begunOnResource,
  beyondLeaseMs,
  keep,
  type LedgerChecks,
  shortLeaseSeconds,
  someId,
} from './requests.ts'

export const forgetChecks: LedgerChecks = {
  'forget makes a message unseen, done or in flight, and returns whether it was known': async (ledger) => {
    for (const { messageId } of [await applied(ledger), await begun(ledger)]) {
      assert.equal(await ledger.forget(messageId), true)
      assert.equal(await ledger.forget(messageId), false)
      await begun(ledger, { messageId })
    }
  },

  'forget returns false for expired messages and resources, and for lapsed claims': async (ledger) => {
    const done = await begunOnResource(ledger, { occurredAt: at('09:00') })
    await ledger.commit(done, {
      retentionSeconds: shortLeaseSeconds,
      watermarkRetentionSeconds: shortLeaseSeconds,
    })
    const lapsing = await begun(ledger, { leaseSeconds: shortLeaseSeconds })
    await sleep(beyondLeaseMs)
    assert.equal(await ledger.forget(done.messageId), false)
    assert.equal(await ledger.forget(lapsing.messageId), false)
    assert.equal(await ledger.forgetResource(done.resource), false)
  },

  'forgetResource ends the turn, forgets the watermark, and returns whether the resource was known': async (
    ledger,
  ) => {
    const resource = someId('user')
    await applied(ledger, { resource, occurredAt: at('09:05') })
    await begun(ledger, { resource, occurredAt: at('09:06') })
    assert.equal(await ledger.forgetResource(resource), true)
    assert.equal(await ledger.forgetResource(resource), false)
    await begun(ledger, { resource, occurredAt: at('09:00') })
  },

  'after its resource was forgotten, a claim loses even to an immediate next claim': async (ledger) => {
    for (let round = 0; round < 20; round++) {
      const late = await begunOnResource(ledger)
      await ledger.forgetResource(late.resource)
      const next = await begun(ledger, { resource: late.resource })
      assert.ok(next.fence > late.fence)
      assert.equal(await ledger.commit(late, keep), 'lost')
      assert.equal(await ledger.commit(next, keep), 'ok')
    }
  },
}
