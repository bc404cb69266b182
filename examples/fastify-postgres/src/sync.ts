import {
  createDirectorySync,
  type DirectorySync,
  type Schedule,
  scalekitFromEnv,
} from '@scalekit-scim/core/sync'
import type { Dispatcher, Logger } from '@scalekit-scim/fastify'
import type { Pool } from 'pg'
import { Accounts } from './accounts.ts'
import { Groups } from './groups.ts'

export interface SyncOptions {
  /** The receiver of the webhooks, or a dispatcher on the same ledger and namespace. */
  dispatcher: Dispatcher
  pool: Pool
  api: Readonly<Record<string, string>>
  schedule: Schedule
  fullEverySeconds: number
  log: Logger
}

/**
 * Applies the changes of lost webhooks: reads the directories, and passes each difference to the webhook handlers. Only
 * one pass runs at a time across all instances, so each instance can start the sync.
 */
export async function openSync({
  dispatcher,
  pool,
  api,
  schedule,
  fullEverySeconds,
  log,
}: SyncOptions): Promise<DirectorySync> {
  const accounts = new Accounts(pool)
  const groups = new Groups(pool)
  return createDirectorySync({
    scalekit: await scalekitFromEnv(api),
    dispatcher,
    organizations: 'all',
    known: {
      users: ({ organizationId }) => accounts.known(organizationId),
      groups: ({ organizationId }) => groups.known(organizationId),
    },
    schedule,
    fullEverySeconds,
    // Each event uses a connection. The sync uses only half of the connections, because webhooks have a deadline.
    concurrency: { events: Math.ceil(pool.options.max / 2) },
    logger: log,
  })
}
