import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instant, plusSeconds } from '../../base/instant.ts'
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
  someRequest,
  stateOf,
} from './requests.ts'

export const timeChecks: LedgerChecks = {
  'an event that is older by a nanosecond is stale, but an equal or newer one is not': async (ledger) => {
    const resource = someId('user')
    await applied(ledger, { resource, occurredAt: at('09:00', 7) })
    const older = someRequest({ resource, occurredAt: at('09:00', 6) })
    assert.deepEqual(await ledger.begin(older), { state: 'stale' })
    await applied(ledger, { resource, occurredAt: at('09:00', 7) })
    await applied(ledger, { resource, occurredAt: at('09:00', 8) })
    const nowOlder = someRequest({ resource, occurredAt: at('09:00', 7) })
    assert.deepEqual(await ledger.begin(nowOlder), { state: 'stale' })
  },

  'a stale event writes nothing: its message stays unseen, and the turn stays free': async (ledger) => {
    const resource = someId('user')
    await applied(ledger, { resource, occurredAt: at('09:05') })
    const stale = someRequest({ resource, occurredAt: at('09:00') })
    assert.equal((await ledger.begin(stale)).state, 'stale')
    await begun(ledger, { messageId: stale.messageId })
    await begun(ledger, { resource, occurredAt: at('09:06') })
  },

  'a release does not move the watermark': async (ledger) => {
    const claim = await begunOnResource(ledger, { occurredAt: at('09:05') })
    await ledger.release(claim)
    await begun(ledger, { resource: claim.resource, occurredAt: at('09:00') })
  },

  'a release keeps an earlier watermark': async (ledger) => {
    const resource = someId('user')
    await applied(ledger, { resource, occurredAt: at('09:05') })
    await ledger.release(await begun(ledger, { resource, occurredAt: at('09:06') }))
    assert.equal(await stateOf(ledger, { resource, occurredAt: at('09:00') }), 'stale')
  },

  'an update with the time of a tombstone is stale, and a deletion with that time is not': async (ledger) => {
    const resource = someId('user')
    await applied(ledger, { resource, occurredAt: at('09:00'), deletion: true })
    assert.equal(await stateOf(ledger, { resource, occurredAt: at('09:00') }), 'stale')
    await applied(ledger, { resource, occurredAt: at('09:00'), deletion: true })
    await begun(ledger, { resource, occurredAt: at('09:01') })
  },

  'a time over 300 s ahead, or no time, counts as the store’s time': async (ledger) => {
    const before = await ledger.now()
    for (const occurredAt of [plusSeconds(before, 3600), undefined]) {
      const claim = await begunOnResource(ledger, { occurredAt })
      assert.ok(claim.occurredAt >= before && claim.occurredAt <= (await ledger.now()))
      await ledger.commit(claim, keep)
      await begun(ledger, { resource: claim.resource, occurredAt: plusSeconds(await ledger.now(), 1) })
    }
    const near = plusSeconds(before, 200)
    assert.equal((await begunOnResource(ledger, { occurredAt: near })).occurredAt, near)
  },

  'after its retention, a watermark is forgotten': async (ledger) => {
    const claim = await begunOnResource(ledger, { occurredAt: at('09:05') })
    await ledger.commit(claim, { ...keep, watermarkRetentionSeconds: shortLeaseSeconds })
    await sleep(beyondLeaseMs)
    await begun(ledger, { resource: claim.resource, occurredAt: at('09:00') })
  },

  'the store’s time has 19 digits and does not go back': async (ledger) => {
    const first = await ledger.now()
    const second = await ledger.now()
    assert.match(first, /^\d{19}$/)
    assert.ok(second >= first)
  },

  'a sync’s event is stale if another event was applied after the sync read the record': async (ledger) => {
    const resource = someId('user')
    const observedAt = await ledger.now()
    await sleep(5)
    await applied(ledger, { resource, occurredAt: at('09:00') })
    const read = someRequest({ resource, occurredAt: at('10:00'), observedAt })
    assert.deepEqual(await ledger.begin(read), { state: 'stale' })
  },

  'a sync’s event replaces an event applied before the read, even one with a newer time': async (ledger) => {
    const resource = someId('user')
    const skewed = plusSeconds(await ledger.now(), 200)
    await applied(ledger, { resource, occurredAt: skewed })
    await sleep(5)
    const claim = await begun(ledger, { resource, occurredAt: at('09:00'), observedAt: await ledger.now() })
    assert.equal(claim.occurredAt, skewed, 'the watermark never goes back')
  },

  'a sync’s watermark is the record’s time, limited to the 60 s before the read': async (ledger) => {
    const observedAt = await ledger.now()
    const expected: [Instant, Instant][] = [
      [plusSeconds(observedAt, -10), plusSeconds(observedAt, -10)],
      [plusSeconds(observedAt, 10), observedAt],
      [plusSeconds(observedAt, -3600), plusSeconds(observedAt, -60)],
    ]
    for (const [occurredAt, watermark] of expected) {
      assert.equal((await begunOnResource(ledger, { occurredAt, observedAt })).occurredAt, watermark)
    }
  },
}
