import { readSafely } from '../base/application-calls.ts'
import type { Clock } from '../base/clock.ts'
import type { KeyvLike } from './keyv-like.ts'

/**
 * A fix for each error of a store, by the code that the log shows as `errorCode`. The code is PostgreSQL's
 * five-character code, the first word of Redis's answer, or Node's code for a connection error. docs/errors.md has the
 * same table.
 */
export const storeHints: Readonly<Record<string, string>> = {
  '42501': "the ledger's role lacks a right: run the GRANTs of docs/stores/postgres.md as an administrator",
  '25006': 'the database is read-only, for example a replica. Use the address of the primary',
  '28P01':
    'PostgreSQL refuses this user or password: compare them with the URL, in which special characters are percent-encoded',
  '28000': 'PostgreSQL refuses this user from this host: check pg_hba.conf, and the user name in the URL',
  '3D000': 'no database has this name: create it, or correct the name in the URL',
  '53300': 'the server has no free connection: lower `max` of the pools, or raise max_connections',
  OOM: 'Redis is out of memory: raise `maxmemory`. Running events are still committed',
  READONLY: 'this Redis is a replica: use the address of the master, or of the sentinels or the cluster',
  MISCONF: 'Redis cannot write to its disk and refuses all changes: see the log of Redis',
  WRONGPASS:
    'Redis refuses this user or password: compare them with the URL, in which special characters are percent-encoded',
  NOAUTH: 'Redis requires a password: add it to the URL',
  NOPERM: 'the Redis user lacks a right: see Rights in docs/stores/redis.md for the ACL',
  CLUSTERDOWN:
    'a part of the cluster has no master: see CLUSTER NODES. If the cluster has a replica, it recovers by itself',
  STRAY_REPLY:
    'the Redis client mixed up replies after a reset. The ledger replaces the connection. With sentinels, restart the process',
  ECONNREFUSED: 'no server listens at this address: check the host and the port, and that the server runs',
  TIMEOUT:
    'the store did not answer within `storeTimeoutSeconds`: it can be overloaded or frozen, or a firewall drops packets',
  ENOTFOUND: 'the name of the host cannot be resolved: correct it in the URL',
}

/**
 * Returns the code of an error from a store or its client, or of that error's cause. Never returns the rest of the
 * error's message, because the message can contain written values.
 */
export function storeCodeOf(error: unknown): string | undefined {
  // A getter of the error can throw. Such an error must not prevent the reply to the attempt.
  return readSafely(() => codeIn(error, 5))
}

function codeIn(error: unknown, depth: number): string | undefined {
  if (!(error instanceof Error) || depth === 0) return undefined
  return ownCode(error) ?? codeIn(error.cause, depth - 1)
}

/** Redis puts its code at the beginning of the message. Some drivers use the name of the error as its code. */
function ownCode(error: Error): string | undefined {
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && /^\w{1,64}$/.test(code) && code !== 'Error') return code
  return /^([A-Z]{3,}) /.exec(error.message)?.[1]
}

/**
 * An older error is ignored. A client that cannot connect repeats its error every few seconds, so a current problem has
 * a recent error.
 */
const freshMs = 10_000

interface LastError {
  code?: string
  atMs: number
}

const lastErrors = new WeakMap<object, LastError>()

/**
 * Listens to the errors that a Keyv emits. If a client cannot connect, it queues the calls. The client reports the
 * reason (a wrong password, for example) only to its listeners. The caller gets only a time-out.
 *
 * Each store gets one listener. Never removes the listener, because the client continues to reconnect after our
 * close(). If a Keyv 6 has an error but no listener, it throws the error, which would end the process.
 * @returns a function that returns the code of the last error, if it is recent
 */
export function listenToStore(store: unknown, clock: Clock): () => string | undefined {
  const emitter: Pick<KeyvLike, 'on'> = typeof store === 'object' && store !== null ? store : {}
  const last: LastError = lastErrors.get(emitter) ?? { atMs: 0 }
  if (!lastErrors.has(emitter) && typeof emitter.on === 'function') {
    lastErrors.set(emitter, last)
    emitter.on('error', (error) => {
      const code = storeCodeOf(error)
      if (code !== undefined) Object.assign(last, { code, atMs: clock.monotonic() })
    })
  }
  return () => (clock.monotonic() - last.atMs < freshMs ? last.code : undefined)
}
