import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { migrate } from '../src/migrations.ts'
import { Directory, inGroup } from './directory.ts'
import { connectTo, onDatabase, ownDatabase, skip, someoneWaits } from './servers.ts'
import { processed, startApp } from './support.ts'

const databaseUrl = skip ? '' : await ownDatabase()
if (!skip) await migrate(databaseUrl)

describe('the guard', { skip }, () => {
  const at = (nanoseconds: number) => `2026-11-23T09:00:00.${String(nanoseconds).padStart(9, '0')}Z`
  const update = { isDeletion: false, time: at(2) }
  const deletion = { isDeletion: true, time: at(2) }
  const cases = [
    ['there is no row', [], update, true],
    ['without a row, the event deletes', [], deletion, true],
    ['the row is a nanosecond older', [{ ...update, time: at(1) }], update, true],
    ['the row is a nanosecond newer', [{ ...update, time: at(3) }], update, false],
    ['the row is newer, and the event deletes', [{ ...update, time: at(3) }], deletion, false],
    ['the times are equal', [update], update, true],
    ['the times are equal, and the row is a tombstone', [deletion], update, false],
    ['the times are equal, and the event deletes', [update], deletion, true],
    ['the deletion is repeated', [deletion], deletion, true],
    ['the tombstone is older', [{ ...deletion, time: at(1) }], update, true],
    ['the tombstone is newer', [{ ...deletion, time: at(3) }], update, false],
  ] as const
  for (const [when, before, event, expected] of cases) {
    it(`${expected ? 'writes' : 'keeps the row'} if ${when}`, async (t) => {
      const { accounts } = await startApp(t, { databaseUrl })
      const { key } = new Directory()
      const write = ({ isDeletion, time }: typeof update) =>
        isDeletion
          ? accounts.delete(key, time)
          : accounts.upsert({ ...unsaid, ...key, occurredAt: time, groups: [{ id: time, name: null }] })
      for (const earlier of before) assert.equal(await write(earlier), true)
      const row = await accounts.find(key)
      assert.equal(await write(event), expected)
      const after = await accounts.find(key)
      if (!expected) assert.deepEqual(after, row)
      else assert.equal(after?.state, event.isDeletion ? 'deleted' : 'active')
    })
  }
})

const unsaid = {
  directoryId: undefined,
  active: undefined,
  email: undefined,
  name: undefined,
  roles: undefined,
  groups: undefined,
}

describe('if the ledger has lost its data', { skip }, () => {
  it('an older event that runs again does not replace the newer row', async (t) => {
    const directory = new Directory()
    const before = await startApp(t, { databaseUrl })
    await before.deliver(directory.user('10:00:00', { name: 'The newest', ...inGroup('Engineering') }))
    assert.equal((await before.deliver(directory.user('09:00:00', { name: 'Older' }))).outcome, 'stale')

    const after = await startApp(t, { databaseUrl })
    const older = directory.user('09:00:00', { name: 'Older', ...inGroup('IT Admins') })
    assert.deepEqual(await after.deliver(older), processed)
    const account = await after.accounts.find(directory.key)
    assert.equal(account?.name, 'The newest')
    assert.deepEqual(account?.groups, ['Engineering'])
  })

  it('an event that is older than a deletion does not restore the user', async (t) => {
    const directory = new Directory()
    const before = await startApp(t, { databaseUrl })
    await before.deliver(directory.deletion('10:00:00'))

    const after = await startApp(t, { databaseUrl })
    for (const time of ['09:30:00', '09:59:59.999999999', '10:00:00']) {
      assert.deepEqual(await after.deliver(directory.user(time)), processed)
    }
    const { state, email } = (await after.accounts.find(directory.key)) ?? {}
    assert.deepEqual({ state, email }, { state: 'deleted', email: null })
  })

  it('an older event does not restore a deleted group', async (t) => {
    const directory = new Directory()
    const before = await startApp(t, { databaseUrl })
    await before.deliver(directory.user('08:00:00', inGroup('Engineering')))
    await before.deliver(directory.groupDeletion('10:00:00'))

    const after = await startApp(t, { databaseUrl })
    assert.deepEqual(await after.deliver(directory.group('09:00:00', 'Engineering')), processed)
    await after.deliver(directory.user('11:00:00', inGroup('Engineering')))
    assert.deepEqual((await after.accounts.find(directory.key))?.groups, [])
  })

  it('if instances without a common ledger write at the same time, the row has the newest state and its groups', async (t) => {
    const directory = new Directory()
    const apps = await Promise.all([1, 2, 3].map(() => startApp(t, { databaseUrl })))
    const deliveries = Array.from({ length: 24 }, (_, time) => {
      // The events name the same groups in both orders, so two transactions need the same rows in different orders.
      const groups = [0, 1, 2, 3].map((n) => ({
        id: `dirgroup_${time % 2 ? n : 3 - n}`,
        name: `Group ${time}`,
      }))
      const event = directory.user(`09:00:00.${String(time).padStart(9, '0')}`, {
        id: `diruser_${time % 3}`,
        name: `Name ${time}`,
        groups,
      })
      return apps.map((app) => app.deliver(event))
    })
    for (const { status } of await Promise.all(deliveries.flat())) assert.ok(status < 202, String(status))
    for (const last of [21, 22, 23]) {
      const account = await apps[0]?.accounts.find({ ...directory.key, id: `diruser_${last % 3}` })
      assert.equal(account?.name, `Name ${last}`)
      assert.equal(account?.occurredAt, `2026-11-23T09:00:00.0000000${last}Z`)
      assert.equal(account?.groups.length, 4)
    }
  })
})

describe('concurrent transactions', { skip }, () => {
  const named = (...numbers: number[]) => ({
    groups: numbers.map((number) => ({ id: `dirgroup_${number}`, name: 'Engineering' })),
  })
  const mention = `
    INSERT INTO groups (organization_id, id, state, name, scim_occurred_at) VALUES ($1, $2, 'active', 'Other', '')`

  it('even if events name new groups in different orders, transactions lock the groups in the same order', async (t) => {
    const app = await startApp(t, { databaseUrl })
    const directory = new Directory()
    const other = await connectTo(t, databaseUrl)
    await other.query('BEGIN')
    await other.query(mention, [directory.organizationId, 'dirgroup_1'])
    const reply = app.deliver(directory.user('09:00:00', named(2, 1)))
    await someoneWaits(databaseUrl)
    await other.query(mention, [directory.organizationId, 'dirgroup_2'])
    await other.query('COMMIT')
    assert.deepEqual(await reply, processed)
  })

  it('transactions with the same stored group do not wait for each other', async (t) => {
    const app = await startApp(t, { databaseUrl })
    const directory = new Directory()
    await app.deliver(directory.user('09:00:00', named(1)))
    const other = await connectTo(t, databaseUrl)
    await other.query('BEGIN')
    await other.query('UPDATE groups SET name = $2 WHERE organization_id = $1', [
      directory.organizationId,
      'New',
    ])
    const reply = await app.deliver(directory.user('10:00:00', { id: 'diruser_2', ...named(1) }))
    await other.query('COMMIT')
    assert.deepEqual(reply, processed)
  })
})

describe('if the database fails', { skip }, () => {
  it('after an attempt with a failed transaction, the retry succeeds', async (t) => {
    const directory = new Directory()
    const app = await startApp(t, { databaseUrl })
    const messageId = `msg_${directory.organizationId}`
    const event = directory.user('09:00:00', inGroup('Engineering'))

    // After the first statement of the transaction, the second statement waits for the test's lock.
    const other = await connectTo(t, databaseUrl)
    await other.query('BEGIN; LOCK TABLE memberships IN ACCESS EXCLUSIVE MODE')
    const reply = app.deliver(event, { messageId })
    const pid = await someoneWaits(databaseUrl)
    await onDatabase(databaseUrl, 'SELECT pg_terminate_backend($1)', [pid])
    assert.deepEqual(await reply, { status: 500, outcome: 'handler-failed' })
    await other.query('ROLLBACK')
    assert.equal(await app.accounts.find(directory.key), undefined)

    assert.deepEqual(await app.deliver(event, { messageId }), processed)
    assert.deepEqual((await app.accounts.find(directory.key))?.groups, ['Engineering'])
    assert.equal((await app.deliver(event, { messageId })).outcome, 'duplicate')
  })
})
