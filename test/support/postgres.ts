import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import KeyvPostgres from '@keyv/postgres'
import { createDispatcher, type Dispatcher, type DispatcherOptions } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'
import Keyv from 'keyv'
import { afterAll } from 'vitest'
import { completeLogger } from '../../packages/core/src/base/logger.ts'
import { isPostgresAdapter, lastingQuery } from '../../packages/core/src/ledger/postgres/pool.ts'
import { PostgresServer } from './postgres-server.ts'

const usualUri = process.env.POSTGRES_URI ?? 'postgresql://postgres@127.0.0.1:5432/postgres'

/** The address of the server on the usual port, or of a separate server. `undefined` if PostgreSQL is not installed. */
export async function reachablePostgres(): Promise<string | undefined> {
  if (await listens(new URL(usualUri))) return usualUri
  const own = await PostgresServer.start()
  if (own) cleanups.push(() => own.remove())
  else skippedFor(`no PostgreSQL at ${new URL(usualUri).host}, and none is installed`)
  return own?.uri
}

/** Prints a warning. With CI=true, fails. */
export function skippedFor(reason: string): void {
  if (process.env.CI) throw new Error(reason)
  console.warn(`SKIPPED: ${reason}`)
}

function listens({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(port || 5432), hostname)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.end())
  })
}

/** The functions that run after the last test of the file, the latest first. */
const cleanups: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
})

type Row = Record<string, unknown>

/** Runs SQL on a separate connection, without the ledger. */
export function sqlOn(
  uri: string,
  options: AdapterOptions = {},
): (text: string, values?: unknown[]) => Promise<Row[]> {
  const adapter: object = adapterOn(uri, { ...options, max: 1 })
  if (!isPostgresAdapter(adapter)) throw new Error('@keyv/postgres has another shape')
  const query = lastingQuery(adapter, {
    storeTimeoutSeconds: 30,
    log: completeLogger(false),
  })
  return async (text, values = []) => [...(await query({ text, values }))]
}

/** For a transaction that stays open, the adapter must not close an idle connection. */
export function transactionOn(uri: string) {
  return sqlOn(uri, { idleTimeoutMillis: 0 })
}

interface AdapterOptions {
  schema?: string
  max?: number
  /** With 0, an idle connection and its transaction stay open. */
  idleTimeoutMillis?: number
}

/**
 * Creates an adapter with a separate pool, because the adapter's code has one pool for each address. Idle connections
 * are closed immediately, so that a test can stop the server.
 */
export function adapterOn(uri: string, options: AdapterOptions = {}): KeyvPostgres {
  const adapter = new KeyvPostgres({
    uri: `${uri}?application_name=${randomUUID()}`,
    max: 3,
    idleTimeoutMillis: 500,
    allowExitOnIdle: true,
    ...options,
  })
  adapter.on('error', () => {})
  return adapter
}

/** The ledger uses the server's clock, so an instance's own clock may be wrong. */
export function skewedClock(skewMs: number) {
  return { ...systemClock, now: () => systemClock.now() + skewMs }
}

/** Creates a schema for the test file, and drops it after the tests. Its functions come from the sources. */
export async function freshSchema(uri: string, role?: string): Promise<string> {
  const schema = `scim_${randomUUID().replaceAll('-', '')}`
  const sql = sqlOn(uri)
  await sql(`CREATE SCHEMA ${schema}`)
  if (role !== undefined) await sql(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`)
  cleanups.push(() => sql(`DROP SCHEMA IF EXISTS ${schema} CASCADE`))
  return schema
}

/** Creates a login with only the granted rights, and drops it after the tests of the file. */
export async function freshRole(uri: string): Promise<{ role: string; uri: string }> {
  const role = `scim_${randomUUID().replaceAll('-', '')}`
  const sql = sqlOn(uri)
  await sql(`CREATE ROLE ${role} LOGIN`)
  cleanups.push(async () => {
    await sql(`DROP OWNED BY ${role}`)
    await sql(`DROP ROLE ${role}`)
  })
  return { role, uri: uri.replace('//postgres@', `//${role}@`) }
}

/** Creates instances of one application that share a store, and closes them after the tests of the file. */
export function instancesOn(uri: string, shared: DispatcherOptions & { schema?: string } = {}) {
  const { schema, ...options } = shared
  const opened: Dispatcher[] = []
  cleanups.push(async () => {
    await Promise.all(opened.map((dispatcher) => dispatcher.close({ graceSeconds: 0 })))
  })
  const namespace = randomUUID()
  return {
    namespace,
    open(own: DispatcherOptions = {}): Dispatcher {
      const store = own.store ?? new Keyv(adapterOn(uri, schema === undefined ? {} : { schema }))
      const dispatcher = createDispatcher({ logger: false, namespace, ...options, ...own, store })
      opened.push(dispatcher)
      return dispatcher
    },
  }
}
