import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  applied,
  at,
  begun,
  begunOnResource,
  beyondLeaseMs,
  keep,
  type LedgerChecks,
  lapsed,
  shortLeaseSeconds,
  someId,
  someRequest,
  stateOf,
  tally,
} from './requests.ts'

const oddIds = [
  'a b',
  'ä',
  '中文',
  '"\'\\',
  '{x}',
  'a:b',
  'a%3Ab',
  '*',
  'A'.repeat(250),
  'constructor',
  '__proto__',
]

export const beginChecks: LedgerChecks = {
  'an unseen message is begun, with a fence and the event’s time': async (ledger) => {
    const occurredAt = at('09:00')
    const answer = await ledger.begin(someRequest({ resource: someId('user'), occurredAt }))
    assert.equal(answer.state, 'begun')
    if (answer.state !== 'begun') return
    assert.ok(Number.isSafeInteger(answer.fence) && answer.fence > 0)
    assert.equal(answer.occurredAt, occurredAt)
  },

  'a second begin with the same token gets the same fence': async (ledger) => {
    const request = someRequest({ resource: someId('user'), occurredAt: at('09:00') })
    assert.deepEqual(await ledger.begin(request), await ledger.begin(request))
  },

  'a message that another token holds is in flight': async (ledger) => {
    const { messageId } = await begun(ledger)
    assert.deepEqual(await ledger.begin(someRequest({ messageId })), { state: 'in-flight' })
  },

  'a committed message is a duplicate for every token': async (ledger) => {
    const { token, messageId } = await applied(ledger)
    assert.deepEqual(await ledger.begin(someRequest({ token, messageId })), { state: 'duplicate' })
    assert.deepEqual(await ledger.begin(someRequest({ messageId })), { state: 'duplicate' })
  },

  'after its retention, a message is unseen': async (ledger) => {
    const claim = await begun(ledger)
    await ledger.commit(claim, { ...keep, retentionSeconds: shortLeaseSeconds })
    await sleep(beyondLeaseMs)
    await begun(ledger, { messageId: claim.messageId })
  },

  'if 50 calls begin one message at the same time, one call wins': async (ledger) => {
    const messageId = someId('msg')
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ledger.begin(someRequest({ messageId }))),
    )
    assert.deepEqual(tally(answers), { begun: 1, 'in-flight': 49 })
  },

  'ids with unusual characters stay distinct': async (ledger) => {
    const ids = oddIds.map((id) => `${id}-${randomUUID()}`)
    for (const id of ids) await begun(ledger, { messageId: id, resource: id })
    for (const id of ids) assert.equal(await stateOf(ledger, { messageId: id }), 'in-flight')
  },

  'a message whose lease has lapsed is begun again, with a higher fence': async (ledger) => {
    const late = await lapsed(ledger)
    const next = await begun(ledger, { messageId: late.messageId, resource: late.resource })
    assert.ok(next.fence > late.fence)
  },

  'another message of the same resource is busy until the turn ends': async (ledger) => {
    const first = await begunOnResource(ledger, { occurredAt: at('09:00') })
    const second = someRequest({ resource: first.resource, occurredAt: at('09:01') })
    assert.deepEqual(await ledger.begin(second), { state: 'busy' })
    await ledger.commit(first, keep)
    assert.ok((await begun(ledger, second)).fence > first.fence)
  },

  'messages of other resources, and messages without a resource, are not busy': async (ledger) => {
    await begunOnResource(ledger)
    await begunOnResource(ledger)
    await begun(ledger)
  },

  'duplicate and in-flight are answered even if the resource is busy': async (ledger) => {
    const resource = someId('user')
    const done = await applied(ledger, { resource })
    const running = await begun(ledger, { resource })
    assert.equal(await stateOf(ledger, { resource, messageId: done.messageId }), 'duplicate')
    assert.equal(await stateOf(ledger, { resource, messageId: running.messageId }), 'in-flight')
  },

  'if 50 messages of one resource begin at the same time, one gets the turn': async (ledger) => {
    const resource = someId('user')
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ledger.begin(someRequest({ resource }))),
    )
    assert.deepEqual(tally(answers), { begun: 1, busy: 49 })
  },
}
