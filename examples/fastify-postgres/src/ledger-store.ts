import { KeyvPostgres } from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { Keyv } from 'keyv'

/**
 * Opens the store of the ledger. The scheme of the URL selects Redis or PostgreSQL. Both stores are atomic across all
 * instances. The caller must disconnect the store.
 */
export function openLedgerStore(url: string, onError: (error: unknown) => void): Keyv {
  const isRedis = /^rediss?:/.test(url)
  const keyv = new Keyv({ store: isRedis ? new KeyvRedis(url) : new KeyvPostgres(url) })
  // Without a listener, an error would end the process. The ledger itself also detects the failure, so the reply is
  // 503.
  keyv.on('error', (error: unknown) => {
    if (isRedis || !isForbidden(error)) onError(error)
  })
  return keyv
}

/**
 * The adapter reports missing rights only for its own table, `keyv`. The adapter tries to create this table at each
 * start, but the ledger does not use this table. The ledger reports its own missing rights.
 */
function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42501'
}
