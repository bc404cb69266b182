import type { Logger } from '../../base/logger.ts'

/** One call to PostgreSQL. A named one is parsed once for each connection. */
export interface PostgresCall {
  text: string
  values?: readonly unknown[]
  name?: string
  /** After this the connection is given up as dead, in milliseconds. */
  query_timeout?: number
}

export type PostgresQuery = (call: PostgresCall) => Promise<readonly Record<string, unknown>[]>

/** What of `@keyv/postgres` is looked at. */
interface PostgresAdapter {
  opts: { dialect: 'postgres'; uri?: string; schema?: string; connectionTimeoutMillis?: number }
  query(call: unknown, values?: unknown): Promise<unknown>
  connect?(): Promise<(call: unknown, values?: unknown) => Promise<unknown>>
}

interface ErrorSource {
  on(event: 'error', listener: () => void): void
}

const queries = new WeakMap<object, PostgresQuery>()

export function isPostgresAdapter(adapter: object): adapter is PostgresAdapter {
  const { opts, query } = adapter as { opts?: unknown; query?: unknown }
  return (
    typeof query === 'function' &&
    typeof opts === 'object' &&
    opts !== null &&
    (opts as { dialect?: unknown }).dialect === 'postgres'
  )
}

/**
 * A way to ask the adapter's server, and one that lasts. The adapter's own does not:
 *
 * - its pool has no listener for errors, so that a server that goes while a connection idles ends the process;
 * - made while the server is down, its `query` may reject for ever;
 * - a call waits for a free connection without end, and is sent when nobody waits for its answer any more.
 *
 * So the adapter gets a second pool, made by its own code with its own options and these mended. Its `query` moves over
 * to that pool, and so does its `disconnect`; the first pool gives up its connection.
 */
export function lastingQuery(
  adapter: PostgresAdapter,
  { storeTimeoutSeconds, log }: { storeTimeoutSeconds: number; log: Logger },
): PostgresQuery {
  const known = queries.get(adapter)
  if (known) return known
  const query = queryOver(adapter, storeTimeoutSeconds * 1000, log)
  queries.set(adapter, query)
  return query
}

function queryOver(adapter: PostgresAdapter, connectionTimeoutMillis: number, log: Logger): PostgresQuery {
  const { connect, opts } = adapter
  if (typeof connect !== 'function') return async (call) => rowsOf(await adapter.query(call))

  const listening = new WeakSet<object>()
  const mended = {
    connectionTimeoutMillis,
    keepAlive: true,
    allowExitOnIdle: true,
    ...opts,
    uri: withOwnName(opts.uri),
    // The only sight of the pool that there is: it calls this before its first connection, on itself.
    log(this: ErrorSource & object) {
      if (listening.has(this)) return
      listening.add(this)
      this.on('error', () => log.debug({}, 'an idle connection to PostgreSQL was lost'))
    },
  }
  const connected = connect.call({ opts: mended })
  connected.catch(() => {})
  const first = adapter.query
  adapter.query = async (call, values) => (await connected)(call, values)
  void giveUpConnection(first)
  return async (call) => rowsOf(await (await connected)(call))
}

/** Another address is another pool to the adapter's code. The server shows the name among its connections. */
function withOwnName(uri: string | undefined): string {
  const name = 'fallback_application_name=scalekit-scim'
  if (uri === undefined) return `postgresql://localhost:5432?${name}`
  return `${uri}${uri.includes('?') ? '&' : '?'}${name}`
}

/**
 * Hangs up the connection that this pool has, rather than tell the server goodbye: until the server had read that, an
 * error of its own, as it sends one to everybody when it shuts down, would find no listener and end the process.
 */
async function giveUpConnection(query: PostgresAdapter['query']): Promise<void> {
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

/** Several statements in one text answer with no rows at all. */
function rowsOf(answer: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(answer) ? answer : []
}
