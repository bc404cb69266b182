import assert from 'node:assert/strict'
import { it } from 'node:test'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { deletion, everythingNull, group, groupDeletion, id, organizationId, sparse, user } from './events.ts'
import { databaseFile, processed, type RunningApp, startApp } from './support.ts'

const inGroup = (name: string) => ({ groups: [{ id: 'dirgroup_1', name }] })

/** Defines a test that has its own application and database. */
function test(name: string, check: (app: RunningApp) => Promise<void>): void {
  it(name, async (t) => check(await startApp(t, await databaseFile(t))))
}

const accountOf = (app: RunningApp, key = id) => app.accounts.find({ organizationId, id: key })

test('a user event creates an account with the highest role of the groups', async (app) => {
  const groups = [
    { id: 'dirgroup_1', name: 'Engineering' },
    { id: 'dirgroup_2', name: 'IT Admins' },
  ]
  assert.deepEqual(await app.deliver(user('09:00:00.5', { groups })), processed)
  assert.deepEqual(accountOf(app), {
    organizationId,
    id,
    state: 'active',
    email: 'amelia.hart@example.com',
    name: 'Amelia Hart',
    roles: ['admin', 'editor'],
    groups: ['Engineering', 'IT Admins'],
    occurredAt: '2026-11-23T09:00:00.500000000Z',
  })
})

test('if an event does not have a field, the stored value does not change', async (app) => {
  await app.deliver(user('09:00:00', inGroup('Engineering')))
  const before = accountOf(app)
  await app.deliver(sparse('10:00:00'))
  assert.deepEqual(accountOf(app), { ...before, occurredAt: '2026-11-23T10:00:00.000000000Z' })
})

test('if a field is null, the stored value does not change', async (app) => {
  await app.deliver(user('09:00:00', { ...inGroup('Engineering'), active: false }))
  await app.deliver(group('09:00:00', 'Engineers'))
  const before = accountOf(app)
  assert.deepEqual(await app.deliver(sparse('10:00:00', everythingNull)), processed)
  assert.deepEqual(await app.deliver(group('10:00:00', null)), processed)
  assert.deepEqual(accountOf(app), { ...before, occurredAt: '2026-11-23T10:00:00.000000000Z' })
  assert.deepEqual(before?.groups, ['Engineers'])
})

test('an event without a directory id does not change the directory of the account', async (app) => {
  const telling = user('09:00:00')
  Object.assign(telling.data, { directory_id: 'dir_1' })
  await app.deliver(telling)
  await app.deliver(user('10:00:00'))
  assert.deepEqual(
    [...app.accounts.known(organizationId)].map(({ directoryId }) => directoryId),
    ['dir_1'],
  )
})

test('if an event does not have groups or a state, the new account is active and has the lowest role', async (app) => {
  await app.deliver(sparse('09:00:00'))
  assert.equal(accountOf(app)?.state, 'active')
  assert.deepEqual(accountOf(app)?.roles, ['viewer'])
})

test('only an event with `active` deactivates or activates an account', async (app) => {
  await app.deliver(user('09:00:00', { active: false }))
  assert.equal(accountOf(app)?.state, 'deactivated')
  await app.deliver(sparse('10:00:00', { name: 'Amelia Stone' }))
  assert.equal(accountOf(app)?.state, 'deactivated')
  assert.equal(accountOf(app)?.name, 'Amelia Stone')
  await app.deliver(user('11:00:00', { active: true }))
  assert.equal(accountOf(app)?.state, 'active')
})

test('a user who leaves the last group with a role gets the default role', async (app) => {
  await app.deliver(user('09:00:00', inGroup('IT Admins')))
  await app.deliver(user('10:00:00', { groups: [] }))
  assert.deepEqual(accountOf(app)?.roles, ['viewer'])
  assert.deepEqual(accountOf(app)?.groups, [])
})

test('a deletion leaves a tombstone without personal data', async (app) => {
  await app.deliver(user('09:00:00'))
  assert.deepEqual(await app.deliver(deletion('10:00:00')), processed)
  assert.deepEqual(accountOf(app), {
    organizationId,
    id,
    state: 'deleted',
    email: null,
    name: null,
    roles: [],
    groups: [],
    occurredAt: '2026-11-23T10:00:00.000000000Z',
  })
})

test('a user who returns after a deletion gets a new account', async (app) => {
  await app.deliver(user('09:00:00', inGroup('IT Admins')))
  await app.deliver(deletion('10:00:00'))
  await app.deliver(sparse('11:00:00', { email: 'amelia@example.com' }))
  const { state, name, email, roles } = accountOf(app) ?? {}
  assert.deepEqual(
    { state, name, email, roles },
    { state: 'active', name: null, email: 'amelia@example.com', roles: ['viewer'] },
  )
})

test('two users with the same email have two accounts', async (app) => {
  await app.deliver(user('09:00:00', { email: 'info@example.com', name: 'Amelia' }))
  await app.deliver(user('10:00:00', { id: 'diruser_2', email: 'info@example.com', name: 'Ben' }))
  assert.equal(accountOf(app, 'diruser_1')?.name, 'Amelia')
  assert.equal(accountOf(app, 'diruser_2')?.name, 'Ben')
})

test('users with the same directory id in two organizations have two accounts', async (app) => {
  await app.deliver(user('09:00:00'))
  await app.deliver(user('09:00:00', { organization_id: 'org_2', name: 'Somebody else' }))
  assert.equal(accountOf(app)?.name, 'Amelia Hart')
  assert.equal(app.accounts.find({ organizationId: 'org_2', id })?.name, 'Somebody else')
})

test('the events of a group rename and delete a group that a user event created', async (app) => {
  await app.deliver(user('09:00:00', inGroup('Engineering')))
  await app.deliver(group('08:00:00', 'Engineers'))
  assert.deepEqual(accountOf(app)?.groups, ['Engineers'])
  await app.deliver(groupDeletion('10:00:00'))
  assert.deepEqual(accountOf(app)?.groups, [])
})

test('an event succeeds without its fields of an undocumented type', async (app) => {
  await app.deliver(user('09:00:00', inGroup('Engineering')))
  const before = accountOf(app)
  const odd = { email: { value: 'x' }, name: 7, active: 'yes', groups: 'Engineering' }
  const event = { ...sparse('10:00:00'), data: { id, organization_id: organizationId, ...odd } }
  // @ts-expect-error: the types are wrong on purpose
  assert.deepEqual(await app.deliver(event), processed)
  assert.equal(accountOf(app)?.email, before?.email)
  assert.deepEqual(accountOf(app)?.groups, before?.groups)
})

test('the application refuses a forged delivery without a write', async (app) => {
  const secret = TEST_SECRET.replace('c2Nh', 'c2Ni')
  const reply = await app.deliver(user('09:00:00'), { secret })
  assert.deepEqual(reply, { status: 400, outcome: 'invalid-signature' })
  assert.equal(app.accounts.count(), 0)
})
