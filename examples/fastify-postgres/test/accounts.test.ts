import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import type { Account } from '../src/accounts.ts'
import { migrate } from '../src/migrations.ts'
import { Directory, everythingNull, id, inGroup } from './directory.ts'
import { ownDatabase, redisUrl, skip } from './servers.ts'
import { processed, type RunningApp, startApp } from './support.ts'

const databaseUrl = skip ? '' : await ownDatabase()
if (!skip) await migrate(databaseUrl)

type Check = (app: RunningApp, directory: Directory) => Promise<void>

/** Defines a test that has its own application and directory. */
function test(name: string, check: Check, ledgerUrl = redisUrl): void {
  it(name, { skip }, async (t) => check(await startApp(t, { databaseUrl, ledgerUrl }), new Directory()))
}

const followsItsUser: Check = async (app, directory) => {
  const groups = [
    { id: 'dirgroup_1', name: 'Engineering' },
    { id: 'dirgroup_2', name: 'IT Admins' },
  ]
  const messageId = `msg_${directory.organizationId}`
  assert.deepEqual(await app.deliver(directory.user('09:00:00.5', { groups }), { messageId }), processed)
  assert.deepEqual(await app.accounts.find(directory.key), {
    ...directory.key,
    state: 'active',
    email: 'amelia.hart@example.com',
    name: 'Amelia Hart',
    roles: ['admin', 'editor'],
    groups: ['Engineering', 'IT Admins'],
    occurredAt: '2026-11-23T09:00:00.500000000Z',
  })
  const outcomeOf = async (time: string, options = {}) =>
    (await app.deliver(directory.user(time), options)).outcome
  assert.equal(await outcomeOf('09:00:00.5', { messageId }), 'duplicate')
  assert.equal(await outcomeOf('09:00:00.4'), 'stale')
}

describe('a user event creates an account with the highest role of the groups, once', () => {
  test('with the ledger on Redis', followsItsUser)
  test('with the ledger on PostgreSQL', followsItsUser, databaseUrl)
})

test('if an event does not have a field, the stored value does not change', async (app, directory) => {
  await app.deliver(directory.user('09:00:00', inGroup('Engineering')))
  const before = await app.accounts.find(directory.key)
  await app.deliver(directory.sparse('10:00:00'))
  const after = { ...before, occurredAt: '2026-11-23T10:00:00.000000000Z' }
  assert.deepEqual(await app.accounts.find(directory.key), after)
})

test('if a field is null, the stored value does not change', async (app, directory) => {
  await app.deliver(directory.user('09:00:00', { ...inGroup('Engineering'), active: false }))
  await app.deliver(directory.group('09:00:00', 'Engineers'))
  const before = await app.accounts.find(directory.key)
  assert.deepEqual(await app.deliver(directory.sparse('10:00:00', everythingNull)), processed)
  assert.deepEqual(await app.deliver(directory.group('10:00:00', null)), processed)
  const after = { ...before, occurredAt: '2026-11-23T10:00:00.000000000Z' }
  assert.deepEqual(await app.accounts.find(directory.key), after)
  assert.deepEqual(before?.groups, ['Engineers'])
})

test('an event without a directory id does not change the directory of the account', async (app, directory) => {
  const telling = directory.user('09:00:00')
  Object.assign(telling.data, { directory_id: 'dir_1' })
  await app.deliver(telling)
  await app.deliver(directory.user('10:00:00'))
  for await (const { directoryId } of app.accounts.known(directory.organizationId)) {
    assert.equal(directoryId, 'dir_1')
  }
})

test('if an event does not have groups, the new account is active and has the lowest role', async (app, directory) => {
  await app.deliver(directory.sparse('09:00:00'))
  const account = await app.accounts.find(directory.key)
  assert.equal(account?.state, 'active')
  assert.deepEqual(account?.roles, ['viewer'])
})

test('only an event with `active` deactivates or activates an account', async (app, directory) => {
  const states: unknown[] = []
  for (const event of [
    directory.user('09:00:00', { active: false }),
    directory.sparse('10:00:00', { name: 'Amelia Stone' }),
    directory.user('11:00:00', { active: true }),
  ]) {
    await app.deliver(event)
    states.push((await app.accounts.find(directory.key))?.state)
  }
  assert.deepEqual(states, ['deactivated', 'deactivated', 'active'])
})

test('a user who leaves the last group with a role gets the default role', async (app, directory) => {
  await app.deliver(directory.user('09:00:00', inGroup('IT Admins')))
  await app.deliver(directory.user('10:00:00', { groups: [] }))
  const account = await app.accounts.find(directory.key)
  assert.deepEqual(account?.roles, ['viewer'])
  assert.deepEqual(account?.groups, [])
})

test('a deletion leaves a tombstone without personal data', async (app, directory) => {
  await app.deliver(directory.user('09:00:00'))
  assert.deepEqual(await app.deliver(directory.deletion('10:00:00')), processed)
  assert.deepEqual(await app.accounts.find(directory.key), {
    ...directory.key,
    state: 'deleted',
    email: null,
    name: null,
    roles: [],
    groups: [],
    occurredAt: '2026-11-23T10:00:00.000000000Z',
  })
})

test('a user who returns after a deletion gets a new account', async (app, directory) => {
  await app.deliver(directory.user('09:00:00', inGroup('IT Admins')))
  await app.deliver(directory.deletion('10:00:00'))
  await app.deliver(directory.sparse('11:00:00', { email: 'amelia@example.com' }))
  assert.deepEqual(await app.accounts.find(directory.key), {
    ...directory.key,
    state: 'active',
    email: 'amelia@example.com',
    name: null,
    roles: ['viewer'],
    groups: [],
    occurredAt: '2026-11-23T11:00:00.000000000Z',
  })
})

test('two users with the same email have two accounts', async (app, directory) => {
  const email = 'info@example.com'
  await app.deliver(directory.user('09:00:00', { email, name: 'Amelia' }))
  await app.deliver(directory.user('10:00:00', { id: 'diruser_2', email, name: 'Ben' }))
  assert.equal((await app.accounts.find(directory.key))?.name, 'Amelia')
  assert.equal((await app.accounts.find({ ...directory.key, id: 'diruser_2' }))?.name, 'Ben')
})

test('users with the same directory id in two organizations have two accounts', async (app, directory) => {
  const other = new Directory()
  await app.deliver(directory.user('09:00:00'))
  await app.deliver(other.user('09:00:00', { name: 'Somebody else' }))
  assert.equal((await app.accounts.find(directory.key))?.name, 'Amelia Hart')
  assert.equal((await app.accounts.find(other.key))?.name, 'Somebody else')
})

test('the events of a group rename and delete a group that a user event created', async (app, directory) => {
  const groups = async () => (await app.accounts.find(directory.key))?.groups
  await app.deliver(directory.user('09:00:00', inGroup('Engineering')))
  assert.deepEqual(await groups(), ['Engineering'])
  await app.deliver(directory.user('09:30:00', inGroup('Engine room')))
  assert.deepEqual(await groups(), ['Engine room'])
  await app.deliver(directory.group('08:00:00', 'Engineers'))
  assert.deepEqual(await groups(), ['Engineers'])
  await app.deliver(directory.user('10:00:00', inGroup('Engineering')))
  assert.deepEqual(await groups(), ['Engineers'])
  await app.deliver(directory.groupDeletion('11:00:00'))
  assert.deepEqual(await groups(), [])
})

test('an event succeeds without its fields of an undocumented type', async (app, directory) => {
  await app.deliver(directory.user('09:00:00', inGroup('Engineering')))
  const { email, groups } = (await app.accounts.find(directory.key)) ?? {}
  const odd = { email: { value: 'x' }, name: 7, active: 'yes', groups: 'Engineering' }
  const event = directory.sparse('10:00:00')
  Object.assign(event.data, odd)
  assert.deepEqual(await app.deliver(event), processed)
  const account = await app.accounts.find(directory.key)
  assert.deepEqual({ email: account?.email, groups: account?.groups }, { email, groups })
})

test('an event with a repeated group, or a character that PostgreSQL cannot store, succeeds', async (app, directory) => {
  const groups = [
    { id: 'dirgroup_1', name: 'Engi\0neering' },
    { id: 'dirgroup_1', name: 'Engineering' },
  ]
  const fields = { name: 'A\0melia', email: 'a\0@example.com', active: false, groups }
  assert.deepEqual(await app.deliver(directory.user('09:00:00', fields)), processed)
  const account = await app.accounts.find(directory.key)
  assert.equal(account?.name, 'Amelia')
  assert.equal(account?.email, 'a@example.com')
  assert.equal(account?.state, 'deactivated')
  assert.deepEqual(account?.groups, ['Engineering'])
})

test('the application refuses a forged delivery without a write', async (app, directory) => {
  const secret = TEST_SECRET.replace('c2Nh', 'c2Ni')
  const reply = await app.deliver(directory.user('09:00:00'), { secret })
  assert.deepEqual(reply, { status: 400, outcome: 'invalid-signature' })
  assert.equal(await app.accounts.find(directory.key), undefined)
})

test('the pages of the list contain each account once', async (app, directory) => {
  for (const number of [3, 1, 2]) await app.deliver(directory.user('09:00:00', { id: `diruser_${number}` }))
  const seen: string[] = []
  let next: string | null = null
  do {
    const response = await fetch(`${app.url}/accounts?limit=2${next === null ? '' : `&after=${next}`}`)
    assert.equal(response.headers.get('cache-control'), 'no-store')
    const page: { accounts: Account[]; next: string | null } = JSON.parse(await response.text())
    assert.ok(page.accounts.length <= 2)
    for (const account of page.accounts) {
      if (account.organizationId === directory.organizationId) seen.push(account.id)
    }
    next = page.next
  } while (next !== null)
  assert.deepEqual(seen, [id, 'diruser_2', 'diruser_3'])
})

test('the service answers 400 to invalid parameters', async (app) => {
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'after=x', 'after=WyJhIl0']) {
    assert.equal((await fetch(`${app.url}/accounts?${query}`)).status, 400, query)
  }
})
