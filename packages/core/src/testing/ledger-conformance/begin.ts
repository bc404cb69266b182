import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { at, beginAll, type LedgerChecks, shortLeaseSeconds, someId } from './store.ts'

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
  'an unseen message is begun, with a fence and the event’s time': async (store) => {
    const occurredAt = at('09:00')
    const claim = await store.begunOnResource({ occurredAt })
    assert.ok(Number.isSafeInteger(claim.fence) && claim.fence > 0)
    assert.equal(claim.occurredAt, occurredAt)
  },

  'a second begin with the same token gets the same fence': async (store) => {
    const message = { token: someId('token'), messageId: someId('msg'), resource: someId('user') }
    const request = { ...message, occurredAt: at('09:00') }
    assert.deepEqual(await store.begun(request), await store.begun(request))
  },

  'a message that another token has claimed is in flight': async (store) => {
    const { messageId } = await store.begun()
    await store.expectState({ messageId }, 'in-flight')
  },

  'a committed message is a duplicate for every token': async (store) => {
    const { token, messageId } = await store.applied()
    await store.expectState({ token, messageId }, 'duplicate')
    await store.expectState({ messageId }, 'duplicate')
  },

  'after its retention, a message is unseen': async (store) => {
    const claim = await store.begun()
    await store.expectCommit(claim, 'ok', { retentionSeconds: shortLeaseSeconds })
    await store.pastShortLease()
    await store.begun({ messageId: claim.messageId })
  },

  'if 50 calls begin one message at the same time, one call succeeds': async (store) => {
    const states = await beginAll(Array(50).fill(store), { messageId: someId('msg') })
    assert.deepEqual(states, { begun: 1, 'in-flight': 49 })
  },

  'ids with unusual characters stay distinct': async (store) => {
    const ids = oddIds.map((id) => `${id}-${randomUUID()}`)
    for (const id of ids) await store.begun({ messageId: id, resource: id })
    for (const id of ids) await store.expectState({ messageId: id }, 'in-flight')
  },

  'a message whose lease has lapsed is begun again, with a higher fence': async (store) => {
    const late = await store.lapsed()
    const next = await store.begun({ messageId: late.messageId, resource: late.resource })
    assert.ok(next.fence > late.fence)
  },

  'another message of the same resource is busy until the turn ends': async (store) => {
    const first = await store.begunOnResource({ occurredAt: at('09:00') })
    const second = { messageId: someId('msg'), resource: first.resource, occurredAt: at('09:01') }
    await store.expectState(second, 'busy')
    await store.expectCommit(first, 'ok')
    assert.ok((await store.begun(second)).fence > first.fence)
  },

  'messages of other resources, and messages without a resource, are not busy': async (store) => {
    await store.begunOnResource()
    await store.begunOnResource()
    await store.begun()
  },

  'for a busy resource, the answer can still be duplicate or in-flight': async (store) => {
    const resource = someId('user')
    const done = await store.applied({ resource })
    const running = await store.begun({ resource })
    await store.expectState({ resource, messageId: done.messageId }, 'duplicate')
    await store.expectState({ resource, messageId: running.messageId }, 'in-flight')
  },

  'if 50 messages of one resource begin at the same time, one gets the turn': async (store) => {
    const states = await beginAll(Array(50).fill(store), { resource: someId('user') })
    assert.deepEqual(states, { begun: 1, busy: 49 })
  },
}
