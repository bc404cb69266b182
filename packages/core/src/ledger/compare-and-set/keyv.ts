import { callBack } from '../../base/application-calls.ts'
import { within } from '../../base/clock.ts'
import { StoreTimeoutError, StoreUnavailableError } from '../../base/errors.ts'
import { type Instant, instantFromMs } from '../../base/instant.ts'
import { type DriverOptions, inTime } from '../driver.ts'
import type { KeyvLike } from '../keyv-like.ts'
import { KeyedLock } from './keyed-lock.ts'
import type { Change, CompareAndSetTable, Key, Kind, Snapshot, StoredRow } from './table.ts'

/** The value of a key that must always exist. */
const canary = 'scalekit-scim'

/** A key's next call waits at most this long for a late answer to a write. */
const lateWriteMs = 30_000

/** Waits for a call until the deadline. Several calls share one deadline. */
type Timed = <T>(call: Promise<T>) => Promise<T>

/**
 * A table over any Keyv. Keyv does not have compare-and-set, so two processes can both begin a message. Between
 * processes, the guarantee is therefore best effort. Within one process, the guarantee is exact, because the calls for
 * each key run one after another. If a write is not answered in time, the next call waits up to 30 s for the answer.
 * Without this wait, the write could take effect after the next call, and replace the next call's result.
 *
 * Keyv hides failures. If a store fails, `get` returns `undefined`, and `set` can return `true`. So the table checks
 * every call. Each read includes a key that must exist. If the Keyv emits an error during a read, the read fails. The
 * table reads each write back.
 *
 * Leases use this machine's wall clock, because the processes do not share another clock. If the clock is set back,
 * earlier claims last longer by the same time.
 */
export class KeyvTable implements CompareAndSetTable {
  readonly #keyv: KeyvLike
  readonly #options: DriverOptions
  readonly #prefix: string
  readonly #lock = new KeyedLock()
  /** For each key, a write whose answer is late. Such a write can take effect later. */
  readonly #late = new Map<string, Promise<unknown>>()
  #failures = 0
  readonly #countFailure = () => {
    this.#failures++
  }

  constructor(keyv: KeyvLike, options: DriverOptions) {
    this.#keyv = keyv
    this.#options = options
    this.#prefix = `{scim:${options.namespace}}:`
    keyv.on?.('error', this.#countFailure)
  }

  close(): void {
    // An error here must not prevent the rest of the shutdown.
    callBack(() => this.#keyv.off?.('error', this.#countFailure))
  }

  exclusively<T>(keys: readonly Key[], work: () => Promise<T>): Promise<T> {
    return this.#lock.hold(
      keys.map((key) => this.#nameOf(key)),
      work,
      (name) => this.#late.get(name),
    )
  }

  async read(keys: readonly Key[]): Promise<Snapshot> {
    const names = keys.map((key) => this.#nameOf(key))
    const values = await this.#readChecked(names, this.#timed())
    const rows: { [K in Kind]?: StoredRow } = {}
    for (const [index, { kind }] of keys.entries()) {
      const state = values[index]
      // The store itself drops expired rows.
      if (state !== undefined) rows[kind] = { state, expiresMs: Number.POSITIVE_INFINITY }
    }
    const ms = this.#options.clock.now()
    return { now: { ms, instant: instantFromMs(ms) }, rows }
  }

  /**
   * Compares only after the write, because the ledger calls this method within `exclusively`. If another process has
   * replaced a change, or a change fails, this method does not write the later changes.
   */
  async compareAndSet({ now, rows }: Snapshot, changes: readonly Change[]): Promise<boolean> {
    const timed = this.#timed()
    for (const { state, expiresMs, ...key } of changes) {
      const name = this.#nameOf(key)
      if (state === undefined) await this.#delete(name, timed)
      else {
        const stored = await this.#set(name, state, Math.ceil(expiresMs - now.ms), timed)
        if (stored !== state && stored !== undefined && stored !== rows[key.kind]?.state) return false
        requireStored(stored, state)
      }
    }
    return true
  }

  async now(): Promise<Instant> {
    return instantFromMs(this.#options.clock.now())
  }

  async #readChecked(names: string[], timed: Timed): Promise<(string | undefined)[]> {
    const canaryName = `${this.#prefix}canary`
    const first = await this.#get([canaryName, ...names], timed)
    if (first[0] === canary) return first.slice(1)
    // The store is new, has lost its data, or has failed. A write of the key that must exist shows whether the store
    // has failed.
    requireStored(await this.#set(canaryName, canary, undefined, timed), canary)
    const second = await this.#get([canaryName, ...names], timed)
    if (second[0] !== canary) throw new StoreUnavailableError('the store did not return a written value')
    return second.slice(1)
  }

  async #get(names: string[], timed: Timed): Promise<(string | undefined)[]> {
    const failuresBefore = this.#failures
    const values = await timed(Promise.all(names.map((name) => this.#keyv.get(name))))
    if (this.#failures !== failuresBefore) throw new StoreUnavailableError('the store reported an error')
    return values.map(asText)
  }

  /** Returns the text that the store returns after the write. */
  async #set(
    name: string,
    text: string,
    ttlMs: number | undefined,
    timed: Timed,
  ): Promise<string | undefined> {
    await this.#write(name, this.#keyv.set(name, text, ttlMs), timed)
    return asText(await timed(this.#keyv.get(name)))
  }

  async #write(name: string, writing: Promise<unknown>, timed: Timed): Promise<void> {
    try {
      await timed(Promise.resolve(writing))
    } catch (error) {
      if (error instanceof StoreTimeoutError) {
        const answered = within(this.#options.clock, Promise.allSettled([writing]), lateWriteMs)
        this.#late.set(
          name,
          answered.then(() => this.#late.delete(name)),
        )
      }
      throw error
    }
  }

  async #delete(name: string, timed: Timed): Promise<void> {
    await this.#write(name, this.#keyv.delete(name), timed)
    const [value] = await this.#get([name], timed)
    if (value !== undefined) throw new StoreUnavailableError('the store returned a deleted value')
  }

  #timed(): Timed {
    const { clock, storeTimeoutSeconds } = this.#options
    const endsAtMs = clock.monotonic() + storeTimeoutSeconds * 1000
    return (call) => inTime({ clock, storeTimeoutSeconds: (endsAtMs - clock.monotonic()) / 1000 }, call)
  }

  #nameOf({ kind, id }: Key): string {
    return `${this.#prefix}${kind}:${id}`
  }
}

function requireStored(stored: string | undefined, text: string): void {
  if (stored !== text) throw new StoreUnavailableError('a written value could not be read back')
}

function asText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw new StoreUnavailableError('a key of the ledger contains data that the ledger did not write')
}
