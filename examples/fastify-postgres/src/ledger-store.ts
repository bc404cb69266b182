import { KeyvPostgres } from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { Keyv } from 'keyv'

/**
 * Where messages and resources are remembered, by its URL: Redis or PostgreSQL. Both are atomic over all instances.
 * It is yours to disconnect.
 */
export function openLedgerStore(url: string, onError: (error: unknown) => void): Keyv {
  const isRedis = /^rediss?:/.test(url)
  const keyv = new Keyv({ store: isRedis ? new KeyvRedis(url) : new KeyvPostgres(url) })
  // With no listener, an error would end the process. The ledger finds out by itself, and answers 503.
  keyv.on('error', (error: unknown) => {
    if (isRedis || !isForbidden(error)) onError(error)
  })
  return keyv
}

/**
 * What is emitted so is of the adapter's own table alone, `keyv`, which it tries to make at each start and the ledger
 * does not use. Where the ledger itself may not do something, it says so.
 */
function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42501'
}
