import Keyv, { type KeyvStoreAdapter } from 'keyv'

/** The way in which a store fails from now on. */
export interface Fault {
  /** The calls that fail. @default all calls */
  on?: 'get' | 'set' | 'delete'
  kind: 'throw' | 'hang' | 'late' | 'forget' | 'swallow'
  delayMs?: number
}

export interface FaultyStore {
  keyv: Keyv
  /** Sets the fault from now on. `undefined` ends the fault. */
  fail(fault: Fault | undefined): void
  data: Map<string, string>
  /** The writes that took effect, as `set <key>` or `delete <key>`. */
  history: string[]
}

/**
 * Returns a Keyv over an adapter that stores values in memory. The adapter can throw, hang until the fault ends, or
 * answer late. It can also return `true` without storing, or turn every error into `undefined`.
 */
export function faultyStore(): FaultyStore {
  const data = new Map<string, string>()
  const history: string[] = []
  const hung = new Set<() => void>()
  let fault: Fault | undefined

  const call = async <T>(verb: 'get' | 'set' | 'delete', work: () => T, unknown: T): Promise<T> => {
    const present = fault && (fault.on ?? verb) === verb ? fault : undefined
    switch (present?.kind) {
      case 'throw':
        throw new Error('the store is down')
      case 'hang':
        return new Promise<T>((_, reject) => hung.add(() => reject(new Error('the connection was closed'))))
      case 'late':
        await new Promise((resolve) => setTimeout(resolve, present.delayMs ?? 500))
        return work()
      case 'forget':
        return verb === 'get' ? work() : unknown
      case 'swallow':
        return unknown
      default:
        return work()
    }
  }
  const adapter = {
    opts: { dialect: 'faulty', url: '' },
    namespace: undefined,
    get: (key: string) => call('get', () => data.get(key), undefined),
    set: (key: string, value: string) =>
      call(
        'set',
        () => {
          history.push(`set ${key}`)
          return data.set(key, value).has(key)
        },
        true,
      ),
    delete: (key: string) =>
      call(
        'delete',
        () => {
          history.push(`delete ${key}`)
          return data.delete(key)
        },
        true,
      ),
    clear: async () => data.clear(),
    on: () => adapter,
  }
  return {
    keyv: new Keyv(adapter as unknown as KeyvStoreAdapter),
    fail: (next) => {
      fault = next
      for (const close of hung) close()
      hung.clear()
    },
    data,
    history,
  }
}
