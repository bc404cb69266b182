// One process with the built sync, on a shared Redis. one-pass.test.ts starts the process, and receives a message for
// each page and each deletion. The test may kill the process. Without a parent, it is a worker that runs by a schedule.

import { once } from 'node:events'
import KeyvRedis from '@keyv/redis'
import { createDispatcher, type Store } from '@scalekit-scim/core'
import { createDirectorySync, type SyncReport } from '@scalekit-scim/core/sync'
import Keyv from 'keyv'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

export interface WorkerOptions {
  /** If absent, the ledger is in memory. */
  redis?: string
  namespace: string
  leaseSeconds: number
  everySeconds: number
  organizations: number
  /** The number of users in each directory. */
  people: number
  /** The number of users in the application that the directory no longer lists. */
  gone: number
  /** At this event, waits for a message from the parent: 'page org_2' or 'deletion', for example. */
  haltAt?: string
}

export type FromWorker = { page: string } | { deleted: string } | { report: SyncReport }

const options: WorkerOptions = JSON.parse(process.argv[2] ?? '{}')

const directories = Array.from(
  { length: options.organizations },
  (_, index) => new TestDirectory(`org_${index}`, people(options.people, index * 1000)),
)
const api = new TestApi(...directories)
api.beforePage = async ({ kind, directory }) => {
  if (kind !== 'users') return
  tell({ page: directory.organizationId })
  await haltAt(`page ${directory.organizationId}`)
}

const adapter = options.redis === undefined ? undefined : new KeyvRedis(options.redis)
const store: Store = adapter ? new Keyv({ store: adapter }) : 'memory'
const dispatcher = createDispatcher({
  store,
  namespace: options.namespace,
  logger: false,
  onUserUpserted: () => {},
  onUserDeleted: async (event) => {
    tell({ deleted: event.data.id })
    await haltAt('deletion')
  },
})

const sync = createDirectorySync({
  scalekit: api,
  dispatcher,
  organizations: 'all',
  known: {
    users: ({ organizationId }) => {
      const first = Number(organizationId.slice(4)) * 1000
      return people(options.people + options.gone, first).map(({ id }) => ({
        id,
        occurredAt: '2026-06-01T09:00:00Z',
      }))
    },
  },
  concurrency: { directories: 1, events: 1 },
  leaseSeconds: options.leaseSeconds,
  schedule: { everySeconds: options.everySeconds, jitterSeconds: 0 },
  logger: false,
  onReport: (report) => tell({ report }),
})
sync.start()

process.once('SIGTERM', async () => {
  await sync.stop()
  await dispatcher.close()
  await adapter?.disconnect()
})

async function haltAt(point: string): Promise<void> {
  if (options.haltAt !== point) return
  delete options.haltAt
  await once(process, 'message')
}

function tell(message: FromWorker): void {
  if (process.send) process.send(message)
  else if ('report' in message) process.stdout.write(`${message.report.outcome}\n`)
}
