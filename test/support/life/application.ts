// The application, in its own process: the example's accounts in SQLite, its handlers behind the receiver, and the
// sync. It uses the built packages. application-process.ts starts this process, sends messages to it and kills it.

import type { AddressInfo } from 'node:net'
import {
  createDirectorySync,
  type DirectoryRef,
  type RunOptions,
  type SyncReport,
  scalekitFromEnv,
} from '@scalekit-scim/core/sync'
import { scalekitScim } from '@scalekit-scim/express'
import express from 'express'
import { Accounts } from '../../../examples/express-sqlite/src/accounts.ts'
import { openDatabase } from '../../../examples/express-sqlite/src/database.ts'
import { directoryHandlers } from '../../../examples/express-sqlite/src/directory-handlers.ts'
import { Groups } from '../../../examples/express-sqlite/src/groups.ts'
import { type LedgerAnswer, type LedgerCall, RemoteLedger } from './remote-ledger.ts'
import { clockByFile } from './time-file.ts'

export interface ApplicationOptions {
  databaseFile: string
  timeFile: string
  skewMs: number
  /** Whether the ledger is in this process, and lost with it. If `false`, the parent process has the ledger. */
  ownLedger: boolean
  leaseSeconds: number
  secret: string
  variables: Readonly<Record<string, string>>
}

export type FromApplication = { port: number } | { report: SyncReport } | { ledger: LedgerCall }
export type ToApplication = { run: RunOptions } | { ledger: LedgerAnswer }

const options: ApplicationOptions = JSON.parse(process.argv[2] ?? '{}')
const { leaseSeconds, ownLedger, secret } = options
const tell = (message: FromApplication) => void process.send?.(message)

const database = openDatabase(options.databaseFile)
// With this setting, a killed process loses no data, but a crashed machine can.
database.exec('PRAGMA synchronous = OFF')
const groups = new Groups(database)
const accounts = new Accounts(database, groups)
const distant = new RemoteLedger((ledger) => tell({ ledger }))
const clock = clockByFile(options.timeFile, options.skewMs)
const logger = process.env.LIFE_LOG ? console : false
const scim = scalekitScim({
  ...directoryHandlers(accounts, groups),
  secret,
  logger,
  store: ownLedger ? 'memory' : distant.ledger,
  clock,
  leaseSeconds,
  storeTimeoutSeconds: leaseSeconds / 2,
})

const knownUsers = database.prepare(`
  SELECT id, scim_occurred_at, (
    SELECT json_group_array(group_id) FROM memberships
    WHERE memberships.organization_id = accounts.organization_id AND account_id = accounts.id
  ) AS group_ids
  FROM accounts WHERE organization_id = ? AND state != 'deleted'`)
const knownGroups = database.prepare(
  "SELECT id, scim_occurred_at FROM groups WHERE organization_id = ? AND state != 'deleted'",
)

const sync = createDirectorySync({
  scalekit: await scalekitFromEnv(options.variables),
  dispatcher: scim.receiver,
  organizations: 'all',
  known: {
    users: ({ organizationId }: DirectoryRef) =>
      knownUsers.all(organizationId).map((row) => ({
        id: String(row.id),
        occurredAt: String(row.scim_occurred_at),
        groupIds: JSON.parse(String(row.group_ids)),
      })),
    groups: ({ organizationId }: DirectoryRef) =>
      knownGroups.all(organizationId).map((row) => ({
        id: String(row.id),
        // The name is empty if a user's event contained the group before the group's own event.
        occurredAt: String(row.scim_occurred_at) || undefined,
      })),
  },
  leaseSeconds,
  logger,
  clock,
})

process.on('message', async (message: ToApplication) => {
  if ('ledger' in message) distant.answered(message.ledger)
  else tell({ report: await sync.run(message.run) })
})
process.on('disconnect', () => process.exit())
const server = express()
  .use(scim)
  .listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }))
