import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instant, plusSeconds } from '../../base/instant.ts'
import { at, type LedgerChecks, shortLeaseSeconds, someId } from './store.ts'

export const timeChecks: LedgerChecks = {
  'an event that is a nanosecond older is stale, and an equal or newer event is not': async (store) => {
    const resource = someId('user')
    await store.applied({ resource, occurredAt: at('09:00', 7) })
    await store.expectState({ resource, occurredAt: at('09:00', 6) }, 'stale')
    await store.applied({ resource, occurredAt: at('09:00', 7) })
    await store.applied({ resource, occurredAt: at('09:00', 8) })
    await store.expectState({ resource, occurredAt: at('09:00', 7) }, 'stale')
  },

  'a stale event changes nothing in the ledger': async (store) => {
    const resource = someId('user')
    await store.applied({ resource, occurredAt: at('09:05') })
    const messageId = someId('msg')
    await store.expectState({ messageId, resource, occurredAt: at('09:00') }, 'stale')
    await store.begun({ messageId })
    await store.begun({ resource, occurredAt: at('09:06') })
  },

  'a release does not move the watermark': async (store) => {
    const claim = await store.begunOnResource({ occurredAt: at('09:05') })
    await store.ledger.release(claim)
    await store.begun({ resource: claim.resource, occurredAt: at('09:00') })
  },

  'a release keeps an earlier watermark': async (store) => {
    const resource = someId('user')
    await store.applied({ resource, occurredAt: at('09:05') })
    await store.ledger.release(await store.begun({ resource, occurredAt: at('09:06') }))
    await store.expectState({ resource, occurredAt: at('09:00') }, 'stale')
  },

  'an update with the time of a tombstone is stale, and a deletion with that time is not': async (store) => {
    const resource = someId('user')
    await store.applied({ resource, occurredAt: at('09:00'), deletion: true })
    await store.expectState({ resource, occurredAt: at('09:00') }, 'stale')
    await store.applied({ resource, occurredAt: at('09:00'), deletion: true })
    await store.begun({ resource, occurredAt: at('09:01') })
  },

  'a time more than 300 s ahead, or no time, counts as the store’s time': async (store) => {
    const before = await store.ledger.now()
    for (const occurredAt of [plusSeconds(before, 3600), undefined]) {
      const claim = await store.begunOnResource({ occurredAt })
      assert.ok(claim.occurredAt >= before && claim.occurredAt <= (await store.ledger.now()))
      await store.expectCommit(claim, 'ok')
      await store.begun({ resource: claim.resource, occurredAt: plusSeconds(await store.ledger.now(), 1) })
    }
    const near = plusSeconds(before, 200)
    assert.equal((await store.begunOnResource({ occurredAt: near })).occurredAt, near)
  },

  'after its retention, a watermark has no effect': async (store) => {
    const claim = await store.begunOnResource({ occurredAt: at('09:05') })
    await store.expectCommit(claim, 'ok', { watermarkRetentionSeconds: shortLeaseSeconds })
    await store.pastShortLease()
    await store.begun({ resource: claim.resource, occurredAt: at('09:00') })
  },

  'the store’s time has 19 digits and does not go back': async (store) => {
    const first = await store.ledger.now()
    const second = await store.ledger.now()
    assert.match(first, /^\d{19}$/)
    assert.ok(second >= first)
  },

  'if another event was applied after the sync read the record, the sync’s event is stale': async (store) => {
    const resource = someId('user')
    const observedAt = await store.ledger.now()
    await sleep(5)
    await store.applied({ resource, occurredAt: at('09:00') })
    await store.expectState({ resource, occurredAt: at('10:00'), observedAt }, 'stale')
  },

  'a sync’s event replaces an event that was applied before the read, even with a newer time': async (
    store,
  ) => {
    const resource = someId('user')
    const skewed = plusSeconds(await store.ledger.now(), 200)
    await store.applied({ resource, occurredAt: skewed })
    await sleep(5)
    const claim = await store.begun({
      resource,
      occurredAt: at('09:00'),
      observedAt: await store.ledger.now(),
    })
    assert.equal(claim.occurredAt, skewed, 'the watermark never goes back')
  },

  'a sync’s watermark is the record’s time, limited to the 60 s before the read': async (store) => {
    const observedAt = await store.ledger.now()
    const expected: [Instant, Instant][] = [
      [plusSeconds(observedAt, -10), plusSeconds(observedAt, -10)],
      [plusSeconds(observedAt, 10), observedAt],
      [plusSeconds(observedAt, -3600), plusSeconds(observedAt, -60)],
    ]
    for (const [occurredAt, watermark] of expected) {
      assert.equal((await store.begunOnResource({ occurredAt, observedAt })).occurredAt, watermark)
    }
  },
}
