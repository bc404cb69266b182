import { isSqlAdapter } from '../compare-and-set/reconnecting-adapter.ts'
import type { DriverOptions } from '../driver.ts'

/** One call to PostgreSQL. A call with a name is parsed once for each connection. */
export interface PostgresCall {
  text: string
  values?: readonly unknown[]
  name?: string
  /** After this many milliseconds without an answer, the pool drops the connection. */
  query_timeout?: number
}

export type PostgresQuery = (call: PostgresCall) => Promise<readonly Record<string, unknown>[]>

/** The part of `@keyv/postgres` that the ledger uses. */
interface PostgresAdapter {
  opts: { dialect: 'postgres'; uri?: string; schema?: string; connectionTimeoutMillis?: number }
  query(call: unknown, values?: unknown): Promise<unknown>
  connect?(): Promise<(call: unknown, values?: unknown) => Promise<unknown>>
}

interface ErrorSource {
  on(event: 'error', listener: () => void): void
}

type PoolOptions = Pick<DriverOptions, 'storeTimeoutSeconds' | 'log'>

const queries = new WeakMap<object, PostgresQuery>()

export function isPostgresAdapter(adapter: object): adapter is PostgresAdapter {
  return isSqlAdapter(adapter, 'postgres')
}

/**
 * Returns a query function that works after a restart of the adapter's server. The adapter's own `query` has three
 * problems:
 *
 * - The adapter's pool does not have an error listener. If the server stops while a connection is idle, the process
 *   ends.
 * - If the server is down when the adapter is made, the adapter's `query` can reject every call.
 * - A call waits for a free connection without a time limit. Even if the caller no longer waits, the pool sends the
 *   call.
 *
 * So this function lets the adapter's own code make a second pool, with the same options, but without these problems.
 * The adapter's `query` and `disconnect` then use the second pool. The first pool drops its connection.
 */
export function lastingQuery(adapter: PostgresAdapter, options: PoolOptions): PostgresQuery {
  const known = queries.get(adapter)
  if (known) return known
  const query = queryOver(adapter, options)
  queries.set(adapter, query)
  return query
}

function queryOver(adapter: PostgresAdapter, { storeTimeoutSeconds, log }: PoolOptions): PostgresQuery {
  const { connect, opts } = adapter
  if (typeof connect !== 'function') return async (call) => rowsOf(await adapter.query(call))

  const listening = new WeakSet<object>()
  const fixed = {
    connectionTimeoutMillis: storeTimeoutSeconds * 1000,
    keepAlive: true,
    allowExitOnIdle: true,
    ...opts,
    uri: withOwnName(opts.uri),
    // This is the only access to the pool: the pool calls this method on itself before its first connection.
    log(this: ErrorSource & object) {
      if (listening.has(this)) return
      listening.add(this)
      this.on('error', () => log.debug({}, 'an idle connection to PostgreSQL was lost'))
    },
  }
  const connected = connect.call({ opts: fixed })
  connected.catch(() => {})
  const first = adapter.query
  adapter.query = async (call, values) => (await connected)(call, values)
  void dropConnection(first)
  return async (call) => rowsOf(await (await connected)(call))
}

/**
 * Adds a name to the address. The adapter's code uses one pool for each address, so the new address gets its own pool.
 * The server lists the connections of this pool with that name.
 */
function withOwnName(uri: string | undefined): string {
  const name = 'fallback_application_name=scalekit-scim'
  if (uri === undefined) return `postgresql://localhost:5432?${name}`
  return `${uri}${uri.includes('?') ? '&' : '?'}${name}`
}

/**
 * Closes the socket without the protocol's Terminate message. Before the server answers such a message, it can send an
 * error, for example because it shuts down. Without a listener, the error would end the process.
 */
async function dropConnection(query: PostgresAdapter['query']): Promise<void> {
  const hangUp = {
    submit(connection: { stream: { destroy(): void } }) {
      connection.stream.destroy()
    },
    handleError(this: { callback(error: unknown): void }, error: unknown) {
      this.callback(error)
    },
  }
  await query(hangUp).catch(() => {})
}

/** Returns the rows of an answer. If the SQL text has several statements, the answer does not contain rows. */
function rowsOf(answer: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(answer) ? answer : []
}
