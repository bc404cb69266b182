import { once } from 'node:events'
import { Accounts } from './accounts.ts'
import { createApp } from './app.ts'
import { openDatabase } from './database.ts'
import { Groups } from './groups.ts'
import { openLedgerStore } from './ledger-store.ts'
import { apiVariables, openSync, wantsSync } from './sync.ts'

// The page shows names. So if HOST is not set, the server listens only on this machine.
const { DATABASE_FILE = './accounts.db', HOST = '127.0.0.1', PORT = '3000' } = process.env

/** The longest time that an incomplete request can delay the shutdown. */
const lingerMs = 1000

const database = openDatabase(DATABASE_FILE)
const ledger = openLedgerStore(DATABASE_FILE)
const groups = new Groups(database)
const accounts = new Accounts(database, groups)
const { app, scim } = createApp({
  accounts,
  groups,
  store: ledger.store,
  // Call your error tracker here. The middleware's own log omits error messages, because error messages can contain
  // personal data.
  onOutcome({ error }) {
    if (error !== undefined) console.error(error)
  },
})

// The server opens the sync before it listens, so that a missing credential stops the start.
const sync = wantsSync(process.env)
  ? await openSync({ dispatcher: scim.receiver, accounts, groups, env: process.env })
  : undefined

const server = app.listen(Number(PORT), HOST, (error) => {
  if (error) throw error
  sync?.start()
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : address
  const host = HOST.includes(':') ? `[${HOST}]` : HOST
  console.log(
    `Listening on http://${host}:${port}, webhooks on /webhooks/scalekit, accounts and ledger in ${DATABASE_FILE}`,
  )
  if (!sync) console.log(`No sync: the server does not recover lost webhooks. Set ${apiVariables.join(', ')}`)
})

let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (!isStopping) void stop()
  })
}

/** Ends the sync and refuses new requests. After running handlers have finished, closes the database and the ledger. */
async function stop(): Promise<void> {
  isStopping = true
  const closed = once(server, 'close')
  server.close()
  await Promise.all([sync?.stop(), scim.receiver.close()])
  setTimeout(() => server.closeAllConnections(), lingerMs).unref()
  await closed
  database.close()
  await ledger.close()
}
