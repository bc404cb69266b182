import type { Clock } from '../base/clock.ts'
import { ConfigurationError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { DrivenLedger, DriverOptions } from './driver.ts'
import { drivers } from './drivers.ts'
import { GenericLedger } from './generic/generic.ts'
import type { KeyvLike } from './keyv-like.ts'
import type { Ledger } from './ledger.ts'
import { MemoryLedger } from './memory.ts'

/** Where messages and resources are remembered: a Keyv, a ledger of your own, or this process's memory. */
export type Store = KeyvLike | Ledger | 'memory'

export interface OpenLedger {
  ledger: Ledger
  namespace: string
  /** Gives the namespace free again. The store itself stays open: it is the application's. */
  close(): void
}

interface OpenOptions {
  store: Store | undefined
  namespace: string | undefined
  clock: Clock
  storeTimeoutSeconds: number
  watermarkRetentionSeconds: number
  log: Logger
}

const unnamed = 'default'
/** Keyv's own default, which says nothing of the application. */
const keyvDefaultNamespace = 'keyv'

const namespacesInUse = new WeakMap<object, Set<string>>()
/** A Map that outlives its receiver keeps its ledger: a receiver that is made anew finds what the last one did. */
const memoryLedgers = new WeakMap<object, Map<string, MemoryLedger>>()

/**
 * Keyv in, the right driver out.
 * @throws ConfigurationError when the store is none, or the namespace is in use on it in this process.
 */
export function openLedger(options: OpenOptions): OpenLedger {
  const { store, namespace, clock, log } = options
  if (store === undefined || store === 'memory') {
    if (store === undefined && process.env.NODE_ENV === 'production') {
      log.warn(
        {},
        "messages are remembered in this process's memory alone: a restart forgets them, and other instances do not " +
          "see them. Give `store: new Keyv(…)`, or `store: 'memory'` to say that it is meant",
      )
    }
    return { ledger: new MemoryLedger(clock), namespace: namespace ?? unnamed, close: () => {} }
  }
  if (isLedger(store)) return { ledger: store, namespace: namespace ?? unnamed, close: () => {} }
  if (!isKeyvLike(store)) {
    throw new ConfigurationError(
      'ERR_SCIM_STORE_INVALID',
      "`store` must be a Keyv (`new Keyv(…)`), a ledger, or 'memory'.",
      'store',
    )
  }

  const native = nativeStore(store)
  const name = namespace ?? ownNamespace(store) ?? unnamed
  const close = occupy(native, name)
  if (native instanceof Map || Object.prototype.toString.call(native) === '[object Map]') {
    return { ledger: memoryLedgerOn(native, name, clock), namespace: name, close }
  }
  if (namespace === undefined && name === unnamed) {
    log.warn(
      { namespace: name },
      'no `namespace` is given: two applications on one store need one each, for message ids are the same for both',
    )
  }
  // Keyv 6 throws an error that nobody listens to, into the client's own event: that would end the process. Never
  // taken off again, since the client goes on reconnecting after our close(). What is wrong, each call tells us.
  store.on?.('error', unheard)
  const ledger =
    drive(native, { ...options, namespace: name }) ??
    new GenericLedger({ ...options, keyv: store, namespace: name })
  return {
    ledger,
    namespace: name,
    close: () => {
      ledger.close()
      close()
    },
  }
}

function unheard(): void {}

function drive(adapter: object, options: DriverOptions): DrivenLedger | undefined {
  for (const driver of drivers) {
    const ledger = driver.open(adapter, options)
    if (ledger) return ledger
  }
  return undefined
}

function occupy(native: object, namespace: string): () => void {
  const taken = namespacesInUse.get(native) ?? new Set()
  if (taken.has(namespace)) {
    throw new ConfigurationError(
      'ERR_SCIM_NAMESPACE_IN_USE',
      `The namespace '${namespace}' is in use on this store. Share one receiver between mounts (\`receiver\`), ` +
        'close() the other first, or give each a `namespace`.',
      'namespace',
    )
  }
  namespacesInUse.set(native, taken.add(namespace))
  return () => taken.delete(namespace)
}

function memoryLedgerOn(map: object, namespace: string, clock: Clock): MemoryLedger {
  const ledgers = memoryLedgers.get(map) ?? new Map<string, MemoryLedger>()
  memoryLedgers.set(map, ledgers)
  const ledger = ledgers.get(namespace) ?? new MemoryLedger(clock)
  ledgers.set(namespace, ledger)
  return ledger
}

function isLedger(store: unknown): store is Ledger {
  const verbs = ['begin', 'renew', 'commit', 'release', 'forget', 'forgetResource', 'record', 'now']
  return hasMethods(store, verbs) && typeof (store as Partial<Ledger>).guarantee === 'object'
}

function isKeyvLike(store: unknown): store is KeyvLike {
  return hasMethods(store, ['get', 'set', 'delete'])
}

function hasMethods(store: unknown, names: string[]): boolean {
  if (typeof store !== 'object' || store === null) return false
  return names.every((name) => typeof (store as Record<string, unknown>)[name] === 'function')
}

/** What a Keyv keeps its data in: an adapter, or a Map, which Keyv 6 wraps once more. */
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
