import { KeyvPostgres } from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { Keyv } from 'keyv'

/**
 * The store of the ledger, by its URL: Redis or PostgreSQL. Both are atomic over all instances. The caller disconnects
 * it.
 */
export function openLedgerStore(url: string, onError: (error: unknown) => void): Keyv {
  const isRedis = /^rediss?:/.test(url)
  const keyv = new Keyv({ store: isRedis ? new KeyvRedis(url) : new KeyvPostgres(url) })
  // Without a listener, an error would end the process. The ledger detects the failure by itself, and answers 503.
  keyv.on('error', (error: unknown) => {
    if (isRedis || !isForbidden(error)) onError(error)
  })
  return keyv
}

/**
 * Such errors concern only the adapter's own table, `keyv`. The adapter tries to create it at each start, and the ledger
 * does not use it. The ledger reports its own missing rights.
 */
function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42501'
}
