import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { createDispatcher, type DirectoryUser } from '@scalekit-scim/express'
import { Accounts } from '../src/accounts.ts'
import { openDatabase } from '../src/database.ts'
import { Groups } from '../src/groups.ts'
import { openLedgerStore } from '../src/ledger-store.ts'
import { id, organizationId, user } from './events.ts'
import { databaseFile, duplicate, processed, startServer } from './support.ts'

const patience = { timeout: 60_000 }

test('the ledger is atomic across all processes and closes its connection', async (t) => {
  const file = await databaseFile(t)
  openDatabase(file).close()
  const ledger = openLedgerStore(file)
  const dispatcher = createDispatcher({ store: ledger.store, onEvent: () => {}, requireGuarantee: 'atomic' })
  assert.deepEqual(dispatcher.guarantee, { message: 'atomic', order: 'atomic' })
  assert.deepEqual(await dispatcher.dispatch(user('09:00:00')), { outcome: 'processed' })
  await dispatcher.close()
  await ledger.close()
  assert.deepEqual(await readdir(dirname(file)), ['accounts.db'], 'the write-ahead log is deleted')
})

test('a message that was done before a restart is a duplicate after the restart', patience, async (t) => {
  const file = await databaseFile(t)
  const first = await startServer(t, file)
  assert.deepEqual(await first.deliver(user('10:00:00'), { messageId: 'msg_1' }), processed)
  await first.stop()

  const second = await startServer(t, file)
  assert.deepEqual(await second.deliver(user('10:00:00'), { messageId: 'msg_1' }), duplicate)
  assert.equal((await second.deliver(user('09:00:00'))).outcome, 'stale', 'the newest time is stored')
  await second.stop()
})

test('after a server is killed, the messages that it answered are duplicates', patience, async (t) => {
  const file = await databaseFile(t)
  const first = await startServer(t, file)
  const messageIds = Array.from({ length: 20 }, (_, n) => `msg_${n}`)
  for (const messageId of messageIds) await first.deliver(user('09:00:00'), { messageId })
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')

  const second = await startServer(t, file)
  for (const messageId of messageIds) {
    assert.deepEqual(await second.deliver(user('09:00:00'), { messageId }), duplicate)
  }
  await second.stop()
})

test('if an earlier file does not have a ledger, the server creates the ledger', patience, async (t) => {
  const file = await databaseFile(t)
  const database = openDatabase(file)
  const nothing = { directoryId: undefined, active: true, roles: undefined, groups: undefined }
  const earlier = { organizationId, id: 'diruser_0', occurredAt: '2026-11-22T09:00:00.000000000Z' }
  new Accounts(database, new Groups(database)).upsert({
    ...nothing,
    ...earlier,
    email: 'ben@acme.example',
    name: 'Ben',
  })
  database.close()

  const server = await startServer(t, file)
  const page = await (await fetch(server.url)).text()
  assert.match(page.replaceAll('<wbr>', ''), /ben@acme\.example/)
  assert.deepEqual(await server.deliver(user('09:00:00'), { messageId: 'msg_1' }), processed)
  assert.deepEqual(await server.deliver(user('09:00:00'), { messageId: 'msg_1' }), duplicate)
  await server.stop()
})

test(
  'if three servers on one file get the same messages together, each message runs on only one server',
  patience,
  async (t) => {
    const file = await databaseFile(t)
    const servers = await Promise.all([1, 2, 3].map(() => startServer(t, file)))
    const numbers = Array.from({ length: 60 }, (_, n) => n)
    const answers = await Promise.all(
      numbers.map((n) => {
        const event = user('09:00:00', { id: `diruser_${n}`, groups: [{ id: 'dirgroup_1', name: 'Sales' }] })
        return Promise.all(servers.map(({ deliver }) => deliver(event, { messageId: `msg_${n}` })))
      }),
    )
    const winners = answers.map((three) => three.findIndex(({ outcome }) => outcome === 'processed'))
    for (const three of answers) {
      const outcomes = three.map(({ status, outcome }) => `${status} ${outcome}`)
      assert.deepEqual(outcomes.sort(), ['200 duplicate', '200 duplicate', '201 processed'])
    }
    assert.ok(new Set(winners).size > 1, 'several servers processed messages')
    await Promise.all(servers.map(({ stop }) => stop()))
    assert.deepEqual(
      servers.flatMap(({ complaints }) => complaints),
      [],
      'the logs do not report failed writes or refusals of the guard',
    )
    assert.deepEqual(accountsIn(file).length, numbers.length)
  },
)

test('three servers that get events of a user in any order store the newest state', patience, async (t) => {
  const file = await databaseFile(t)
  const servers = await Promise.all([1, 2, 3].map(() => startServer(t, file)))
  const named = (n: number): Partial<DirectoryUser> => ({
    name: `Name ${n}`,
    groups: [{ id: `dirgroup_${n}`, name: `Group ${n}` }],
  })
  const order = [7, 2, 19, 11, 4, 15, 0, 9, 13, 1, 18, 6, 3, 17, 10, 5, 14, 8, 12, 16]
  const answers = await Promise.all(
    order.map((n, index) => servers[index % 3]?.deliver(user(`09:00:${10 + n}`, named(n)))),
  )
  for (const answer of answers) assert.match(String(answer?.outcome), /^(processed|stale)$/)
  await Promise.all(servers.map(({ stop }) => stop()))
  assert.deepEqual(
    servers.flatMap(({ complaints }) => complaints),
    [],
    'the logs do not report failed writes or refusals of the guard',
  )
  const [account] = accountsIn(file)
  assert.equal(account?.id, id)
  assert.equal(account?.name, 'Name 19')
  assert.deepEqual(account?.groups, ['Group 19'])
})

function accountsIn(file: string) {
  const database = openDatabase(file)
  try {
    return new Accounts(database, new Groups(database)).newest(1000)
  } finally {
    database.close()
  }
}
