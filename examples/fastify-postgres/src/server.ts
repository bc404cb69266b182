import { setTimeout as sleep } from 'node:timers/promises'
import type { DirectorySync } from '@scalekit-scim/core/sync'
import { addRoutes, createApp } from './app.ts'
import { type Config, InvalidEnvironment, readConfig } from './config.ts'
import { openDatabase } from './database.ts'
import { openLedgerStore } from './ledger-store.ts'
import { exitWith } from './log.ts'
import { migrate } from './migrations.ts'
import { closeServer } from './stop.ts'
import { openSync } from './sync.ts'
import { within } from './within.ts'

/** The time limit of the shutdown: ten seconds for handlers (`receiver.close()`), and more for incomplete requests. */
const stopMs = 20_000
const disconnectMs = 2000

const config = configOrExit()
const app = createApp({ level: config.logLevel })
const { log } = app
process.on('uncaughtException', (err) => exitWith(log, err, 'an uncaught error'))
process.on('unhandledRejection', (err) => exitWith(log, err, 'an unhandled rejection'))

const pool = openDatabase({
  url: config.databaseUrl,
  poolSize: config.databasePoolSize,
  onError: (err) => log.warn({ err }, 'a connection to the database broke'),
})
const store = openLedgerStore(config.ledgerUrl, (err) => log.warn({ err }, 'the ledger has a problem'))

let isStopping = false
let sync: DirectorySync | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second signal ends the process immediately.
    if (isStopping) process.exit(1)
    // The server has not started, so there is no running work. PostgreSQL rolls back an interrupted migration.
    if (!app.server.listening) process.exit(0)
    isStopping = true
    void stop(signal)
  })
}

try {
  await addRoutes(app, {
    pool,
    store,
    namespace: config.ledgerNamespace,
    secret: config.secrets,
    isStopping: () => isStopping,
    // Several instances need an atomic ledger. Redis and PostgreSQL are both atomic.
    ...(config.isProduction ? { requireGuarantee: 'atomic' } : {}),
  })
  log.info({ applied: await migrate(config.databaseUrl) }, 'the database is up to date')
  sync = await openOwnSync()
  await app.listen({ host: config.host, port: config.port })
  sync?.start()
} catch (error) {
  // No event has arrived yet, so the error does not contain personal data.
  exitWith(log, error, `the server does not start: ${error instanceof Error ? error.message : ''}`)
}

/** Without API credentials, this process does not run the sync. A worker can run the sync instead. */
async function openOwnSync(): Promise<DirectorySync | undefined> {
  const { api, syncSchedule: schedule, syncFullEverySeconds: fullEverySeconds } = config
  if (!api) return undefined
  return openSync({ dispatcher: app.scalekitScim, pool, api, schedule, fullEverySeconds, log })
}

/**
 * First, `/ready` answers 503, so that load balancers stop sending requests. Then the server refuses new requests, and
 * answers the running requests. Finally, the server closes the connections to the database and the ledger.
 */
async function stop(signal: string): Promise<void> {
  const { drainSeconds } = config
  log.info({ signal, drainSeconds }, 'stopping')
  await sleep(drainSeconds * 1000)
  setTimeout(() => exitWith(log, undefined, 'the shutdown took too long'), stopMs)
  // The server and the sync stop at the same time. So running events of the sync also get ten seconds to finish.
  await Promise.all([sync?.stop(), closeServer(app)])
  await Promise.all([disconnect('database', pool.end()), disconnect('ledger', store.disconnect())])
  log.info('stopped')
  process.exit(0)
}

async function disconnect(part: string, disconnected: Promise<void>): Promise<void> {
  await within(disconnectMs, disconnected).catch((err) =>
    log.warn({ err, part }, 'a connection did not close'),
  )
}

function configOrExit(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (!(error instanceof InvalidEnvironment)) throw error
    console.error(error.message)
    process.exit(1)
  }
}
