import type { Clock } from '@scalekit-scim/core'
import { delay, inBackground, randomnessOf } from '@scalekit-scim/core/internal'

const storePausesMs = [500, 1000, 2000]

/**
 * Waits before the caller repeats a failed store call. The wait does not keep the process running.
 * @param failures the number of earlier failures of the call
 * @returns whether the call may be repeated
 */
export async function pauseForStore(clock: Clock, failures: number, signal?: AbortSignal): Promise<boolean> {
  const pauseMs = storePausesMs[failures]
  if (pauseMs === undefined) return false
  await delay(clock, pauseMs * (0.5 + randomnessOf(clock).fraction()), signal, inBackground)
  return true
}

/** Calls the store up to four times. @throws the last error, or the signal's reason as soon as the signal aborts */
export async function retryStore<Answer>(
  clock: Clock,
  call: () => Promise<Answer>,
  signal?: AbortSignal,
): Promise<Answer> {
  for (let failures = 0; ; failures++) {
    try {
      return await untilAborted(call(), signal)
    } catch (error) {
      if (!(await pauseForStore(clock, failures, signal))) throw error
      signal?.throwIfAborted()
    }
  }
}

/**
 * Waits for the answer. As soon as the signal aborts, rejects with the signal's reason. The SDK's methods and the
 * application's functions do not take a signal. After an abort, such calls continue in the background, and the sync
 * ignores their results.
 */
export function untilAborted<Answer>(
  answer: Promise<Answer>,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  if (!signal) return answer
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Visits all items, at most `limit` at a time. Rejects with the first error, after every visit has ended. */
export async function eachOf<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  limit: number,
  visit: (item: Item) => Promise<void>,
): Promise<void> {
  async function* each() {
    yield* items
  }
  const shared = each()
  const visitor = async () => {
    for await (const item of shared) await visit(item)
  }
  const ended = await Promise.allSettled(Array.from({ length: limit }, visitor))
  const failed = ended.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

/** A semaphore. Callers get slots in the order of their calls. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves when the caller has a slot. */
  async take(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
