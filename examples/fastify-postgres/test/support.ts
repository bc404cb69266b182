import type { TestContext } from 'node:test'
import { type SignOptions, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import type { DirectoryEvent } from '@scalekit-scim/fastify'
import type pg from 'pg'
import { Accounts } from '../src/accounts.ts'
import { addRoutes, createApp } from '../src/app.ts'
import { openDatabase } from '../src/database.ts'
import { openLedgerStore } from '../src/ledger-store.ts'
import { ownNamespace, redisUrl } from './servers.ts'

export interface Reply {
  status: number
  outcome: string | null
}

export interface RunningApp {
  url: string
  accounts: Accounts
  pool: pg.Pool
  /** Sends an event as Scalekit does. Returns the application's answer. */
  deliver(event: DirectoryEvent, options?: SignOptions): Promise<Reply>
}

export const processed: Reply = { status: 201, outcome: 'processed' }
export const ignore = () => {}

export interface AppSettings {
  databaseUrl: string
  ledgerUrl?: string
  /** @default a new namespace, so the ledger is empty */
  namespace?: string
}

/** Starts the whole application in the test's process, on its own port. */
export async function startApp(
  t: TestContext,
  { databaseUrl, ledgerUrl = redisUrl, namespace = ownNamespace() }: AppSettings,
): Promise<RunningApp> {
  const pool = openDatabase({ url: databaseUrl, poolSize: 5, onError: ignore })
  const store = openLedgerStore(ledgerUrl, ignore)
  const app = createApp({ level: 'silent' })
  t.after(async () => {
    await app.close()
    await Promise.all([pool.end(), store.disconnect()])
  })
  await addRoutes(app, { pool, store, namespace, secret: TEST_SECRET })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, pool, accounts: new Accounts(pool), deliver: (...delivery) => deliver(url, ...delivery) }
}

export async function deliver(url: string, event: DirectoryEvent, options?: SignOptions): Promise<Reply> {
  const response = await fetch(`${url}/webhooks/scalekit`, signDelivery(event, options))
  await response.arrayBuffer()
  return { status: response.status, outcome: response.headers.get('scalekit-scim-outcome') }
}
