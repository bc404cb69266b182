import { randomUUID } from 'node:crypto'
import KeyvPostgres from '@keyv/postgres'
import { createReceiver, type Receiver } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import Keyv from 'keyv'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { cutProxy } from '../support/cut-proxy.ts'
import { skippedFor } from '../support/postgres.ts'
import { PostgresServer } from '../support/postgres-server.ts'

// A primary and its standby behind one address. After the primary has failed, the address leads to the standby.
// Providers use a host name for this address, and other operators use a pooler or a virtual address.

/** A disconnected primary does not answer, and its connections stay open. */
const ends = {
  crashes: (primary: PostgresServer) => primary.stop('immediate'),
  'is cut off': async (primary: PostgresServer) => primary.freeze(),
}

const probe = await PostgresServer.start()
await probe?.remove()
if (!probe) skippedFor('PostgreSQL is not installed: its failover is not tested')

describe.skipIf(!probe)('PostgreSQL', () => {
  test.each(Object.entries(ends))(
    'after a primary %s, events are answered 503 until its standby is promoted, and done messages stay done',
    async (_happens, end) => {
      const { primary, standby, address } = await openPair()
      let runs = 0
      const receiver = application(address.uri, () => void runs++)
      const all = (deliveries: Delivery[]) =>
        Promise.all(deliveries.map((delivery) => outcomeOf(receiver, delivery)))
      // The number is over the pool's connections, so that all of them are in use when the primary ends.
      const before = Array.from({ length: 9 }, someDelivery)
      expect(new Set(await all(before))).toEqual(new Set(['processed']))
      await hasFollowed(standby, primary)

      await end(primary)
      const during = Array.from({ length: 9 }, someDelivery)
      expect(new Set(await all(during))).toEqual(new Set(['store-unavailable']))

      address.leadTo(standby.port)
      const other = application(address.uri, () => void runs++)
      for (let tries = 0; tries < 3; tries++) {
        expect(await outcomeOf(other, someDelivery())).toBe('store-unavailable')
      }
      expect(runs).toBe(before.length)

      await standby.sql('SELECT pg_promote()')
      for (const [index, delivery] of during.entries()) {
        await becomesProcessed(index % 2 === 0 ? receiver : other, delivery)
      }
      expect(new Set(await all(before))).toEqual(new Set(['duplicate']))
      expect(runs).toBe(before.length + during.length)
    },
    120_000,
  )
})

async function openPair() {
  const primary = await PostgresServer.start()
  if (!primary) throw new Error('PostgreSQL is not installed')
  onTestFinished(() => primary.remove())
  const standby = await primary.standby()
  onTestFinished(() => standby.remove())
  const { port, leadTo } = await cutProxy(primary.port)
  return { primary, standby, address: { uri: primary.uri.replace(`:${primary.port}`, `:${port}`), leadTo } }
}

function application(uri: string, onUserUpserted: () => void): Receiver {
  const receiver = createReceiver({
    secret: TEST_SECRET,
    logger: false,
    namespace: 'failover',
    // Each process has its own address, because the adapter's code has one pool for each address.
    store: new Keyv(new KeyvPostgres({ uri: `${uri}?application_name=${randomUUID()}`, max: 3 })),
    leaseSeconds: 600,
    storeTimeoutSeconds: 1,
    deadlineSeconds: 5,
    onUserUpserted,
  })
  onTestFinished(() => receiver.close({ graceSeconds: 0.1 }))
  return receiver
}

type Delivery = ReturnType<typeof someDelivery>

function someDelivery() {
  const data = { id: `diruser_${randomUUID()}` }
  return signDelivery(sampleEvent('organization.directory.user_updated', { data }))
}

async function outcomeOf(receiver: Receiver, delivery: Delivery): Promise<string> {
  const { outcome, status } = await receiver.receive({ url: '/webhooks/scalekit', ...delivery })
  if (outcome === 'store-unavailable') expect(status).toBe(503)
  return outcome
}

/** The ledger drops a connection to a disconnected primary after 30 s of silence. */
async function becomesProcessed(receiver: Receiver, delivery: Delivery) {
  await vi.waitFor(async () => expect(await outcomeOf(receiver, delivery)).toBe('processed'), {
    timeout: 90_000,
    interval: 200,
  })
}

async function hasFollowed(standby: PostgresServer, primary: PostgresServer): Promise<void> {
  const written = await primary.sql('SELECT pg_current_wal_insert_lsn()')
  await vi.waitFor(
    async () => expect(await standby.sql(`SELECT pg_last_wal_replay_lsn() >= '${written}'`)).toBe('t'),
    { timeout: 20_000 },
  )
}
