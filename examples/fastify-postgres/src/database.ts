import pg from 'pg'

/** The time limit of one statement, including the wait for a lock. The reply to Scalekit is due in 9 s. */
const statementTimeoutMs = 5000
/** A frozen server does not end a statement, so the client stops waiting after this time. */
const queryTimeoutMs = 6000
const connectTimeoutMs = 2000
/** If a process stalls during a transaction, its rows are locked for at most this time. */
const idleInTransactionTimeoutMs = 10_000

export interface DatabaseOptions {
  url: string
  poolSize: number
  /**
   * If an idle connection breaks, for example because the server restarts, the pool calls this function. After such an
   * error, the pool connects again.
   */
  onError(error: Error): void
}

/** Returns a pool that connects at its first query. */
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

/** Runs `work` in one transaction. */
export async function transaction<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  // Without a listener, the error would end the process. The running query rejects with the same error.
  const ignore = () => {}
  client.on('error', ignore)
  let broken: Error | undefined
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    // If the rollback fails, the pool does not use the connection again.
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.off('error', ignore)
    client.release(broken)
  }
}
