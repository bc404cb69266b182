import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { Accounts } from '../../examples/express-sqlite/src/accounts.ts'
import { createApp } from '../../examples/express-sqlite/src/app.ts'
import { openDatabase } from '../../examples/express-sqlite/src/database.ts'
import { Groups } from '../../examples/express-sqlite/src/groups.ts'
import { ada, openScimDirectory, type ScimDirectory } from './scim-directory.ts'

/** Starts the example with its own database. Returns its accounts, and its events in the order of arrival. */
async function openExample(scim: ScimDirectory) {
  const folder = await mkdtemp(join(tmpdir(), 'scim-chain-'))
  const file = join(folder, 'accounts.db')
  const database = openDatabase(file)
  const groups = new Groups(database)
  const accounts = new Accounts(database, groups)
  const example = createApp({ accounts, groups, secret: TEST_SECRET, logger: false })
  const server = example.app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    await example.scim.receiver.close()
    database.close()
    await rm(folder, { recursive: true, force: true })
  })

  return {
    /** Delivers the new events, each signed, and returns the accounts in its table. */
    async accountsAfterDelivery() {
      for (const event of scim.events.splice(0)) {
        const { status } = await fetch(
          `http://127.0.0.1:${port}/webhooks/scalekit`,
          signDelivery(event, { messageId: `msg_${event.id}` }),
        )
        expect(status).toBe(201)
      }
      // A separate connection reads the file itself, without the example's code.
      const reader = new DatabaseSync(file, { readOnly: true })
      const rows = reader
        .prepare(
          `SELECT accounts.id, state, email, accounts.name, (
             SELECT group_concat(groups.name, ',') FROM memberships JOIN groups ON groups.id = group_id
             WHERE account_id = accounts.id AND groups.state = 'active'
           ) AS groups FROM accounts ORDER BY scim_occurred_at`,
        )
        .all()
      reader.close()
      return rows.map((row) => ({ ...row }))
    },
  }
}

it('every change of a user over SCIM arrives in the application’s database', async () => {
  const scim = await openScimDirectory()
  onTestFinished(() => scim.close())
  const example = await openExample(scim)
  const id = await scim.createUser()
  const account = { id, state: 'active', email: 'ada@acme.test', name: 'Ada Lovelace', groups: null }
  expect(await example.accountsAfterDelivery()).toEqual([account])

  await scim.patch(`/Users/${id}`, {
    op: 'Replace',
    path: 'emails[type eq "work"].value',
    value: 'al@acme.test',
  })
  expect(await example.accountsAfterDelivery()).toEqual([{ ...account, email: 'al@acme.test' }])

  const group = await scim.createGroup('Engineers')
  await scim.patch(`/Groups/${group}`, { op: 'add', path: 'members', value: [{ value: id }] })
  expect(await example.accountsAfterDelivery()).toMatchObject([{ id, groups: 'Engineers' }])
  await scim.patch(`/Groups/${group}`, { op: 'remove', path: `members[value eq "${id}"]` })
  expect(await example.accountsAfterDelivery()).toMatchObject([{ id, groups: null }])

  await scim.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'False' })
  expect(await example.accountsAfterDelivery()).toMatchObject([{ id, state: 'deactivated' }])
  await scim.send('PUT', `/Users/${id}`, ada)
  expect(await example.accountsAfterDelivery()).toMatchObject([
    { id, state: 'active', email: 'ada@acme.test' },
  ])

  await scim.send('DELETE', `/Users/${id}`)
  expect(await example.accountsAfterDelivery()).toEqual([
    { id, state: 'deleted', email: null, name: null, groups: null },
  ])
})

it('a user whose name and email have a character that some databases refuse is removed', async () => {
  const scim = await openScimDirectory()
  onTestFinished(() => scim.close())
  const example = await openExample(scim)
  const id = await scim.createUser({
    name: { givenName: 'A\0da', familyName: 'Lovelace' },
    emails: [{ value: 'a\0da@acme.test', type: 'work', primary: true }],
  })
  expect(await scim.get(`/Users/${id}`)).toMatchObject({ name: { givenName: 'A\0da' } })
  expect(await example.accountsAfterDelivery()).toMatchObject([{ id, state: 'active' }])
  await scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false })
  expect(await example.accountsAfterDelivery()).toMatchObject([{ id, state: 'deactivated' }])
})
