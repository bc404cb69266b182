import type { Clock } from '../base/clock.ts'
import type { KeyvLike } from './keyv-like.ts'

/**
 * What to do about what a store says, by the code that the log shows as `errorCode`: PostgreSQL's five characters, the
 * first word of Redis's answer, Node's own of a connection. docs/errors.md has the same table.
 */
export const storeHints: Readonly<Record<string, string>> = {
  '42501': "the ledger's role lacks a right: run the GRANTs of docs/stores/postgres.md as an administrator",
  '25006': 'the database is read-only: a replica, or one that was made so. Give the address of the primary',
  '28P01':
    'PostgreSQL knows no such user and password: compare them with the URL, special characters percent-encoded',
  '28000': "PostgreSQL does not let this user in from here: see pg_hba.conf, or the user's name in the URL",
  '3D000': 'there is no database of that name: create it, or correct the name in the URL',
  '53300': 'the server has no connection left: lower `max` of the pools, or raise max_connections',
  OOM: 'Redis is out of memory: raise `maxmemory`. What runs is still committed',
  READONLY: 'this Redis is a replica: give the address of the master, or of the sentinels or the cluster',
  MISCONF: 'Redis cannot write to its disk and refuses to change anything: see its own log',
  WRONGPASS:
    'Redis knows no such user and password: compare them with the URL, special characters percent-encoded',
  NOAUTH: 'Redis asks for a password: put it into the URL',
  NOPERM: 'the Redis user lacks a right: see Rights in docs/stores/redis.md for the ACL',
  CLUSTERDOWN:
    'a part of the cluster has no master: see CLUSTER NODES. It mends itself where there is a replica',
  ECONNREFUSED: 'nothing listens at the address: is the server up, and are host and port right?',
  TIMEOUT:
    'the store has said nothing within `storeTimeoutSeconds`: is it overloaded, frozen, or behind a firewall that drops?',
  ENOTFOUND: 'the name of the host is not known: correct it in the URL',
}

/** The code of what a store or its client threw, or of what caused that. A message may hold what was to be written. */
export function storeCodeOf(error: unknown): string | undefined {
  try {
    let cause = error
    for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
      const code = ownCode(cause)
      if (code !== undefined) return code
      cause = cause.cause
    }
  } catch {
    // A getter of its own throws. Whatever it is, the attempt gets its answer.
  }
  return undefined
}

/** Redis says its word at the beginning of the message; where there is none, a driver has put the error's name. */
function ownCode(error: Error): string | undefined {
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && /^\w{1,64}$/.test(code) && code !== 'Error') return code
  return /^([A-Z]{3,}) /.exec(error.message)?.[1]
}

/** What is older says nothing of the present: a client that cannot connect says so every few seconds. */
const freshMs = 10_000

export interface StoreListener {
  /** The code of what the store's client complained of last, where that was a moment ago. */
  lastCode(): string | undefined
  stop(): void
}

/**
 * Hears what a Keyv emits. A client that cannot connect keeps what it is asked, and tells the reason (a wrong password,
 * say) to its listeners alone: who asked sees no more than that the time is over.
 */
export function listenToStore(store: unknown, clock: Clock): StoreListener {
  let last: { code: string; atMs: number } | undefined
  const hear = (error: unknown) => {
    const code = storeCodeOf(error)
    if (code !== undefined) last = { code, atMs: clock.monotonic() }
  }
  const emitter: Pick<KeyvLike, 'on' | 'off'> = typeof store === 'object' && store !== null ? store : {}
  if (typeof emitter.on === 'function') emitter.on('error', hear)
  return {
    lastCode: () => (last && clock.monotonic() - last.atMs < freshMs ? last.code : undefined),
    stop() {
      try {
        emitter.off?.('error', hear)
      } catch {
        // One that cannot forget us hears nothing more of it.
      }
    },
  }
}
