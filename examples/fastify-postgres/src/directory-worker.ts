import type { DirectorySync } from '@scalekit-scim/core/sync'
import { createDispatcher, type Logger } from '@scalekit-scim/fastify'
import { Accounts } from './accounts.ts'
import type { readWorkerConfig } from './config.ts'
import { openDatabase } from './database.ts'
import { directoryHandlers } from './directory-handlers.ts'
import { Groups } from './groups.ts'
import { openLedgerStore } from './ledger-store.ts'
import { openSync } from './sync.ts'
import { within } from './within.ts'

const disconnectMs = 2000

export interface DirectoryWorker {
  sync: DirectorySync
  /** Ends the pass, waits for running events, and disconnects from the database and the ledger. */
  close(): Promise<void>
}

/**
 * The sync without HTTP and without a signing secret. The worker uses the same handlers and the same ledger as the
 * web processes.
 */
export async function openDirectoryWorker(
  config: ReturnType<typeof readWorkerConfig>,
  log: Logger,
): Promise<DirectoryWorker> {
  const warn = (message: string) => (err: unknown) => log.warn({ err }, message)
  const pool = openDatabase({
    url: config.databaseUrl,
    poolSize: config.databasePoolSize,
    onError: warn('a connection to the database broke'),
  })
  const store = openLedgerStore(config.ledgerUrl, warn('the ledger has a problem'))
  const dispatcher = createDispatcher({
    ...directoryHandlers(new Accounts(pool), new Groups(pool)),
    store,
    namespace: config.ledgerNamespace,
    // The worker and the web processes are separate instances, so the ledger must be atomic.
    ...(config.isProduction ? { requireGuarantee: 'atomic' } : {}),
    logger: log,
  })
  const { api, syncSchedule: schedule, syncFullEverySeconds: fullEverySeconds } = config
  const sync = await openSync({ dispatcher, pool, api, schedule, fullEverySeconds, log })
  return {
    sync,
    async close() {
      // `close()` gives running events ten seconds, and then aborts their signals. So the sync and the dispatcher close
      // at the same time.
      await Promise.all([sync.stop(), dispatcher.close()])
      await Promise.allSettled([pool.end(), within(disconnectMs, store.disconnect())])
    },
  }
}
