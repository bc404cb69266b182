import { ConfigurationError } from '../base/errors.ts'
import { hasMethods } from '../base/objects.ts'
import { CompareAndSetLedger } from './compare-and-set/compare-and-set-ledger.ts'
import { KeyvTable } from './compare-and-set/keyv.ts'
import { openMysql } from './compare-and-set/mysql.ts'
import { openSqlite } from './compare-and-set/sqlite.ts'
import type { DriverLedger, DriverOptions } from './driver.ts'
import type { KeyvLike } from './keyv-like.ts'
import type { Ledger } from './ledger.ts'
import { MemoryLedger } from './memory/memory-ledger.ts'
import { openPostgres } from './postgres/postgres.ts'
import { openRedis } from './redis/redis.ts'

/** The store of messages and resources: a Keyv, a ledger of your own, or this process's memory. */
export type Store = KeyvLike | Ledger | 'memory'

export interface OpenLedger {
  ledger: Ledger
  /** Releases the namespace. Does not close the store, because the application owns it. */
  closeStore(): void
}

interface OpenOptions extends Omit<DriverOptions, 'namespace'> {
  store: Store | undefined
  namespace: string | undefined
}

const unnamed = 'default'
/** Keyv's own default, which does not identify the application. */
const keyvDefaultNamespace = 'keyv'

const namespacesInUse = new WeakMap<object, Set<string>>()
/**
 * The memory ledgers, by Map. A ledger remains after its receiver is closed, so the next receiver on the same Map can
 * read the done messages.
 */
const memoryLedgers = new WeakMap<object, Map<string, MemoryLedger>>()

/**
 * Opens the ledger with the driver that fits the store.
 * @throws ConfigurationError if the store is invalid, or if this process already uses the namespace on it
 */
export function openLedger(options: OpenOptions): OpenLedger {
  const { store, clock, log } = options
  if (store === undefined && process.env.NODE_ENV === 'production') {
    log.warn(
      {},
      "messages are stored only in this process's memory: a restart deletes them, and other instances cannot " +
        "read them. Set `store: new Keyv(…)`, or `store: 'memory'` if this is intended",
    )
  }
  if (store === undefined || store === 'memory') {
    return { ledger: new MemoryLedger(clock), closeStore: () => {} }
  }
  if (isLedger(store)) return { ledger: store, closeStore: () => {} }
  if (!isKeyvLike(store)) {
    throw new ConfigurationError(
      'ERR_SCIM_STORE_INVALID',
      "`store` must be a Keyv (`new Keyv(…)`), a ledger, or 'memory'.",
      'store',
    )
  }

  return openOnKeyv(store, options)
}

function openOnKeyv(store: KeyvLike, options: OpenOptions): OpenLedger {
  const native = nativeStore(store)
  const namespace = options.namespace ?? ownNamespace(store) ?? unnamed
  const freeNamespace = reserveNamespace(native, namespace)
  if (Object.prototype.toString.call(native) === '[object Map]') {
    return { ledger: memoryLedgerOn(native, namespace, options.clock), closeStore: freeNamespace }
  }
  if (options.namespace === undefined && namespace === unnamed) {
    options.log.warn(
      { namespace },
      'no `namespace` is set: applications on one store need different namespaces, because all receive the same message ids',
    )
  }
  const ledger = openDriver(store, native, { ...options, namespace })
  return {
    ledger,
    closeStore: () => {
      ledger.close()
      freeNamespace()
    },
  }
}

/**
 * Each driver recognizes its adapter by its properties. No driver makes a network call here, because the store can be
 * down.
 */
function openDriver(store: KeyvLike, adapter: object, options: DriverOptions): DriverLedger {
  return (
    openRedis(adapter, options) ??
    openPostgres(adapter, options) ??
    openMysql(adapter, options) ??
    openSqlite(adapter, options) ??
    new CompareAndSetLedger(new KeyvTable(store, options), 'best-effort', options)
  )
}

function reserveNamespace(native: object, namespace: string): () => void {
  const taken = namespacesInUse.get(native) ?? new Set()
  if (taken.has(namespace)) {
    throw new ConfigurationError(
      'ERR_SCIM_NAMESPACE_IN_USE',
      `The namespace '${namespace}' is in use on this store. Share one receiver between mounts (\`receiver\`), ` +
        'close() the other receiver first, or set a different `namespace` for each.',
      'namespace',
    )
  }
  namespacesInUse.set(native, taken.add(namespace))
  return () => taken.delete(namespace)
}

function memoryLedgerOn(map: object, namespace: string, clock: DriverOptions['clock']): MemoryLedger {
  const ledgers = memoryLedgers.get(map) ?? new Map<string, MemoryLedger>()
  memoryLedgers.set(map, ledgers)
  const ledger = ledgers.get(namespace) ?? new MemoryLedger(clock)
  ledgers.set(namespace, ledger)
  return ledger
}

function isLedger(store: unknown): store is Ledger {
  const verbs = ['begin', 'renew', 'commit', 'release', 'forget', 'forgetResource', 'record', 'now']
  return hasMethods(store, verbs) && 'guarantee' in store && typeof store.guarantee === 'object'
}

function isKeyvLike(store: unknown): store is KeyvLike {
  return hasMethods(store, ['get', 'set', 'delete'])
}

/** Returns the store inside a Keyv: an adapter or a Map. Keyv 6 wraps a Map in another object. */
function nativeStore(store: object): object {
  let native = store
  for (let depth = 0; depth < 4; depth++) {
    const inner = (native as { store?: unknown }).store
    if (typeof inner !== 'object' || inner === null) break
    native = inner
  }
  return native
}

function ownNamespace(store: KeyvLike): string | undefined {
  const { namespace } = store
  return typeof namespace === 'string' && namespace !== '' && namespace !== keyvDefaultNamespace
    ? namespace
    : undefined
}
