import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type SignOptions, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import type { DirectoryEvent } from '@scalekit-scim/express'
import { Accounts } from '../src/accounts.ts'
import { createApp } from '../src/app.ts'
import { openDatabase } from '../src/database.ts'
import { Groups } from '../src/groups.ts'

export interface RunningApp {
  url: string
  accounts: Accounts
  /** Sends an event as Scalekit does, and gives what the application answers. */
  deliver(event: DirectoryEvent, options?: SignOptions): Promise<{ status: number; outcome: string | null }>
  stop(): Promise<void>
}

export const processed = { status: 201, outcome: 'processed' }

/** A database file of this test's own. */
export async function databaseFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'express-sqlite-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'accounts.db')
}

/** The whole application on a port of its own. Started again on the same file, it has a new ledger, as after a crash. */
export async function startApp(t: TestContext, file: string): Promise<RunningApp> {
  const database = openDatabase(file)
  const groups = new Groups(database)
  const accounts = new Accounts(database, groups)
  const { app, scim } = createApp({ accounts, groups, secret: TEST_SECRET, store: 'memory', logger: false })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`

  let stopped: Promise<void> | undefined
  const stop = async () => {
    server.close()
    server.closeAllConnections()
    await scim.receiver.close()
    database.close()
  }
  const stopOnce = () => {
    stopped ??= stop()
    return stopped
  }
  t.after(stopOnce)

  return {
    url,
    accounts,
    stop: stopOnce,
    async deliver(event, options) {
      const response = await fetch(`${url}/webhooks/scalekit`, signDelivery(event, options))
      await response.arrayBuffer()
      return { status: response.status, outcome: response.headers.get('scalekit-scim-outcome') }
    },
  }
}
