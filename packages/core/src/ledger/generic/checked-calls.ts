import { type Clock, timedOut, within } from '../../base/clock.ts'
import { StoreTimeoutError, StoreUnavailableError } from '../../base/errors.ts'
import type { KeyvLike } from '../keyv-like.ts'

/** The value of a key that must always be there. */
const canary = 'scalekit-scim'

/** What to put back when the verb fails. A write without it is to stand. */
interface Undo {
  before: string | undefined
}

interface Write {
  key: string
  text: string
  landed: Promise<unknown>
  undo: Undo | undefined
}

/** The calls of one verb: under one deadline, and none believed that cannot be checked. */
export class CheckedCalls {
  readonly writes: Write[] = []
  readonly #keyv: KeyvLike
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #canaryKey: string
  readonly #failures: () => number

  constructor(keyv: KeyvLike, clock: Clock, timeoutMs: number, canaryKey: string, failures: () => number) {
    this.#keyv = keyv
    this.#clock = clock
    this.#deadlineMs = clock.monotonic() + timeoutMs
    this.#canaryKey = canaryKey
    this.#failures = failures
  }

  async read(keys: string[]): Promise<(string | undefined)[]> {
    const first = await this.#readBesideCanary(keys)
    if (first.canaryFound) return first.values
    // A new store, or one that lost its data: or a dead one, which the canary's own write will tell.
    await this.write(this.#canaryKey, canary, undefined)
    const second = await this.#readBesideCanary(keys)
    if (!second.canaryFound) throw new StoreUnavailableError('the store does not keep what it is given')
    return second.values
  }

  async write(key: string, text: string, ttlMs: number | undefined, undo?: Undo): Promise<void> {
    const landed = Promise.resolve(this.#keyv.set(key, text, ttlMs))
    this.writes.push({ key, text, landed, undo })
    await this.#inTime(landed)
    if ((await this.#inTime(this.#keyv.get(key))) !== text) {
      throw new StoreUnavailableError('a write did not read back')
    }
  }

  async remove(key: string): Promise<void> {
    await this.#inTime(this.#keyv.delete(key))
    const [value] = (await this.#readBesideCanary([key])).values
    if (value !== undefined) throw new StoreUnavailableError('a deletion did not read back')
  }

  async #readBesideCanary(keys: string[]): Promise<{ canaryFound: boolean; values: (string | undefined)[] }> {
    const failuresBefore = this.#failures()
    const calls = [this.#canaryKey, ...keys].map((key) => this.#keyv.get(key))
    const [found, ...values] = await this.#inTime(Promise.all(calls))
    if (this.#failures() !== failuresBefore) throw new StoreUnavailableError('the store reported an error')
    return { canaryFound: found === canary, values: values.map(asText) }
  }

  async #inTime<T>(call: Promise<T>): Promise<T> {
    const result = await within(this.#clock, call, this.#deadlineMs - this.#clock.monotonic())
    if (result === timedOut) throw new StoreTimeoutError()
    return result
  }
}

function asText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw new StoreUnavailableError('a key of ours holds what we did not write')
}
