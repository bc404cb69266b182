import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { mayWrite } from '../src/newest-wins.ts'
import { deletion, group, groupDeletion, id, organizationId, user } from './events.ts'
import { databaseFile, duplicate, processed, startApp } from './support.ts'

const key = { organizationId, id }

/** Deletes all data of the ledger. A change of the store has the same effect. */
function loseLedger(file: string): void {
  const database = new DatabaseSync(file)
  database.exec('DELETE FROM scalekit_scim_ledger')
  database.close()
}

describe('the guard', () => {
  const row = (occurredAt: string, state = 'active') => ({ occurredAt, state })
  const cases = [
    ['there is no row', undefined, false, true],
    ['the row is older', row('1'), false, true],
    ['the row is newer', row('3'), false, false],
    ['the row is newer, and the event deletes', row('3'), true, false],
    ['the times are equal', row('2'), false, true],
    ['the times are equal, and the row is a tombstone', row('2', 'deleted'), false, false],
    ['the times are equal, and the event deletes', row('2'), true, true],
    ['the deletion is repeated', row('2', 'deleted'), true, true],
    ['the tombstone is older', row('1', 'deleted'), false, true],
  ] as const
  for (const [when, written, isDeletion, expected] of cases) {
    it(`${expected ? 'writes' : 'keeps the row'} if ${when}`, () => {
      assert.equal(mayWrite(written, { occurredAt: '2', isDeletion }), expected)
    })
  }
})

describe('if the ledger has lost its data', () => {
  it('an older event that runs again does not replace the newer row', async (t) => {
    const file = await databaseFile(t)
    const before = await startApp(t, file)
    await before.deliver(user('10:00:00', { name: 'The newest' }))
    assert.equal((await before.deliver(user('09:00:00', { name: 'Older' }))).outcome, 'stale')
    await before.stop()
    loseLedger(file)

    const after = await startApp(t, file)
    assert.deepEqual(await after.deliver(user('09:00:00', { name: 'Older' })), processed)
    assert.equal(after.accounts.find(key)?.name, 'The newest')
  })

  it('an update that is older than a deletion does not restore the user', async (t) => {
    const file = await databaseFile(t)
    const before = await startApp(t, file)
    await before.deliver(user('09:00:00'))
    await before.deliver(deletion('10:00:00'))
    await before.stop()
    loseLedger(file)

    const after = await startApp(t, file)
    for (const time of ['09:30:00', '10:00:00']) await after.deliver(user(time))
    assert.equal(after.accounts.find(key)?.state, 'deleted')
  })

  it('a creation that arrives after the deletion of its user does not restore the user', async (t) => {
    const file = await databaseFile(t)
    const before = await startApp(t, file)
    await before.deliver(deletion('10:00:00'))
    await before.stop()
    loseLedger(file)

    const after = await startApp(t, file)
    await after.deliver(user('09:00:00'))
    assert.equal(after.accounts.find(key)?.state, 'deleted')
    assert.equal(after.accounts.find(key)?.email, null)
  })

  it('an older event does not restore a deleted group', async (t) => {
    const file = await databaseFile(t)
    const before = await startApp(t, file)
    await before.deliver(user('08:00:00', { groups: [{ id: 'dirgroup_1', name: 'Engineering' }] }))
    await before.deliver(groupDeletion('10:00:00'))
    await before.stop()
    loseLedger(file)

    const after = await startApp(t, file)
    await after.deliver(group('09:00:00', 'Engineering'))
    assert.deepEqual(after.accounts.find(key)?.groups, [])
  })
})

describe('if the database fails', () => {
  const messageId = 'msg_1'

  it('a locked file delays an event until its retry, but does not affect the page', async (t) => {
    const file = await databaseFile(t)
    const app = await startApp(t, file)
    const other = new DatabaseSync(file)
    t.after(() => other.close())

    other.exec('BEGIN IMMEDIATE')
    let isAnswered = false
    const failing = app.deliver(user('09:00:00'), { messageId }).finally(() => {
      isAnswered = true
    })
    for (let page = 0; page < 5; page++) await (await fetch(app.url)).text()
    assert.ok(!isAnswered, 'while the ledger waits, the process is not blocked')
    const failed = await failing
    other.exec('ROLLBACK')
    assert.deepEqual(failed, { status: 503, outcome: 'store-unavailable' })
    assert.equal(app.accounts.count(), 0)

    assert.deepEqual(await app.deliver(user('09:00:00'), { messageId }), processed)
    assert.equal(app.accounts.find(key)?.state, 'active')
    assert.deepEqual(await app.deliver(user('09:00:00'), { messageId }), duplicate)
  })

  it('after the rollback of a failed write, the retry of the message succeeds', async (t) => {
    const file = await databaseFile(t)
    const app = await startApp(t, file)
    const other = new DatabaseSync(file)
    t.after(() => other.close())
    const event = user('09:00:00', { groups: [{ id: 'dirgroup_1', name: 'Engineering' }] })

    other.exec(`CREATE TRIGGER full BEFORE INSERT ON memberships BEGIN SELECT raise(ABORT, 'disk full'); END`)
    assert.deepEqual(await app.deliver(event, { messageId }), { status: 500, outcome: 'handler-failed' })
    assert.equal(app.accounts.count(), 0)

    other.exec('DROP TRIGGER full')
    assert.deepEqual(await app.deliver(event, { messageId }), processed)
    assert.deepEqual(app.accounts.find(key)?.groups, ['Engineering'])
  })
})
