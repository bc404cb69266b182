import pg from 'pg'

/** How long one statement may take, also while it waits for another's row: the reply to Scalekit is due in 9 s. */
const statementTimeoutMs = 5000
/** A server that is frozen ends no statement: then we give up ourselves. */
const queryTimeoutMs = 6000
const connectTimeoutMs = 2000
/** A process that stalls in the middle of a transaction holds its rows no longer than this. */
const idleInTransactionTimeoutMs = 10_000

export interface DatabaseOptions {
  url: string
  poolSize: number
  /** Told of idle connections that break: the server restarts, say. The pool makes new ones by itself. */
  onError(error: Error): void
}

/** Touches no network: the first query does. */
export function openDatabase({ url, poolSize, onError }: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    application_name: 'fastify-postgres',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
  })
  pool.on('error', onError)
  return pool
}

/** All of `work` or nothing of it. */
export async function transaction<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  // The query that runs meanwhile rejects with it as well. With no listener, it would end the process.
  const ignore = () => {}
  client.on('error', ignore)
  let broken: Error | undefined
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    // A connection that cannot roll back is given to nobody else.
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.off('error', ignore)
    client.release(broken)
  }
}
