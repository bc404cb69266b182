import { KeyvPostgres } from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { Keyv } from 'keyv'
import pg from 'pg'

/**
 * Where messages and resources are remembered, by its URL: Redis or PostgreSQL. Both are atomic over all instances.
 * It is yours to disconnect. Touches no network: it connects with the first question.
 */
export function openLedgerStore(url: string, onError: (error: unknown) => void): Keyv {
  const isRedis = /^rediss?:/.test(url)
  const keyv = new Keyv({ store: isRedis ? new KeyvRedis(url) : onPostgres(url, onError) })
  // With no listener, an error would end the process. The ledger finds out by itself, and answers 503.
  keyv.on('error', onError)
  return keyv
}

/**
 * The adapter keeps its pool to itself, and listens to no errors of it. So a connection that breaks while it is idle,
 * as all do when the server restarts, would end the process. The pool has let go of the connection by then.
 */
function onPostgres(uri: string, onError: (error: unknown) => void): KeyvPostgres {
  class Connection extends pg.Client {
    override emit(name: string | symbol, ...args: unknown[]): boolean {
      try {
        return super.emit(name, ...args)
      } catch (error) {
        if (name !== 'error') throw error
        onError(error)
        return true
      }
    }
  }
  return new KeyvPostgres({ uri, Client: Connection })
}
