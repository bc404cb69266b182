import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type SignOptions, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import type { DirectoryEvent } from '@scalekit-scim/express'
import { Accounts } from '../src/accounts.ts'
import { createApp } from '../src/app.ts'
import { openDatabase } from '../src/database.ts'
import { Groups } from '../src/groups.ts'
import { openLedgerStore } from '../src/ledger-store.ts'

export interface Answer {
  status: number
  outcome: string | null
}

export interface RunningApp {
  url: string
  accounts: Accounts
  /** Sends an event as Scalekit does. Returns the application's answer. */
  deliver(event: DirectoryEvent, options?: SignOptions): Promise<Answer>
  stop(): Promise<void>
}

export interface RunningServer extends Pick<RunningApp, 'url' | 'deliver' | 'stop'> {
  child: ChildProcess
  /** The lines that the server has written to standard output. */
  said: string[]
  /** The lines that the server has written to standard error. */
  complaints: string[]
  /** Waits for the first line that contains the text. */
  saying(isWanted: (line: string) => boolean): Promise<string>
}

export const processed = { status: 201, outcome: 'processed' }
export const duplicate = { status: 200, outcome: 'duplicate' }

/** Returns the path of a database file that only this test uses. */
export async function databaseFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'express-sqlite-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'accounts.db')
}

/** Starts the whole application in the test's process, on its own port. */
export async function startApp(t: TestContext, file: string): Promise<RunningApp> {
  const database = openDatabase(file)
  const ledger = openLedgerStore(file)
  const groups = new Groups(database)
  const accounts = new Accounts(database, groups)
  const { app, scim } = createApp({
    accounts,
    groups,
    secret: TEST_SECRET,
    store: ledger.store,
    logger: false,
  })
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
    await ledger.close()
  }
  const stopOnce = () => {
    stopped ??= stop()
    return stopped
  }
  t.after(stopOnce)
  return { url, accounts, stop: stopOnce, deliver: deliverTo(url) }
}

/** Starts the example's server as a separate process. Resolves when the server listens. */
export async function startServer(
  t: TestContext,
  file: string,
  variables: NodeJS.ProcessEnv = {},
): Promise<RunningServer> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const program = fileURLToPath(new URL('../src/server.ts', import.meta.url))
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    env: {
      ...env,
      SCALEKIT_WEBHOOK_SECRET: TEST_SECRET,
      DATABASE_FILE: file,
      HOST: '127.0.0.1',
      PORT: '0',
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  child.stderr.pipe(process.stderr)
  const complaints: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line))
  const said: string[] = []
  const lines = createInterface({ input: child.stdout }).on('line', (line) => said.push(line))
  const saying = async (isWanted: (line: string) => boolean) => {
    for (;;) {
      const line = said.find(isWanted)
      if (line !== undefined) return line
      await once(lines, 'line')
    }
  }
  const url = /http:\S+(?=,)/.exec(await saying((line) => line.startsWith('Listening')))?.[0] ?? ''
  const stop = async () => {
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [0, null])
  }
  return { child, url, said, complaints, saying, stop, deliver: deliverTo(url) }
}

function deliverTo(url: string): RunningApp['deliver'] {
  return async (event, options) => {
    const response = await fetch(`${url}/webhooks/scalekit`, signDelivery(event, options))
    await response.arrayBuffer()
    return { status: response.status, outcome: response.headers.get('scalekit-scim-outcome') }
  }
}
