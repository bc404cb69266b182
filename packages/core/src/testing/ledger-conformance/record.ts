import assert from 'node:assert/strict'
import { type LedgerChecks, shortLeaseSeconds, someId } from './store.ts'

export const recordChecks: LedgerChecks = {
  'only a record with the expected value is written': async (store) => {
    const record = store.ledger.record(someId('record'))
    assert.equal(await record.read(), undefined)
    assert.equal(await record.compareAndSet('x', 'a', 60), false)
    assert.equal(await record.compareAndSet(undefined, 'a', 60), true)
    assert.equal(await record.compareAndSet(undefined, 'b', 60), false)
    assert.equal(await record.read(), 'a')
    assert.equal(await record.compareAndSet('a', undefined, 60), true)
    assert.equal(await record.read(), undefined)
  },

  'a record expires': async (store) => {
    const record = store.ledger.record(someId('record'))
    await record.compareAndSet(undefined, 'a', shortLeaseSeconds)
    await store.pastShortLease()
    assert.equal(await record.read(), undefined)
    assert.equal(await record.compareAndSet(undefined, 'b', 60), true)
  },

  'one of 20 concurrent writers of a record succeeds': async (store) => {
    const name = someId('record')
    const wrote = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.ledger.record(name).compareAndSet(undefined, String(index), 60),
      ),
    )
    assert.equal(wrote.filter(Boolean).length, 1)
  },
}
