import type { Clock, Timer } from '@scalekit-scim/core'
import { delay, inBackground, timedOut, within } from '@scalekit-scim/core/internal'

/** Pauses after which a store that failed is asked again. */
const pausesMs = [500, 1000, 2000]

/** Asks a store up to four times. @throws what the last try threw, or the signal's reason as soon as it aborts */
export async function patiently<Answer>(
  clock: Clock,
  ask: () => Promise<Answer>,
  signal?: AbortSignal,
): Promise<Answer> {
  for (const pauseMs of pausesMs) {
    try {
      return await untilAborted(ask(), signal)
    } catch {
      await pause(clock, pauseMs * (0.5 + Math.random()), signal)
      signal?.throwIfAborted()
    }
  }
  return untilAborted(ask(), signal)
}

/** Resolves after `pauseMs`, or at once when the signal aborts. Does not keep the process running. */
export function pause(clock: Clock, pauseMs: number, signal?: AbortSignal): Promise<void> {
  return delay(clock, pauseMs, signal, inBackground)
}

/**
 * Rejects with the signal's reason as soon as it aborts. What takes no signal of its own, as the SDK's methods and the
 * application's functions do not, is left behind then, and ends unheard.
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

/** Whether it settles in that time. */
export async function endsWithin(clock: Clock, ending: Promise<unknown>, delayMs: number): Promise<boolean> {
  return (await within(clock, Promise.allSettled([ending]), delayMs)) !== timedOut
}

/** The clock's timers keep no process alive; this does, until it is called off. */
export function keepAlive(): () => void {
  const timer = setInterval(() => {}, 2 ** 30)
  return () => clearInterval(timer)
}

/** Visits all items, so many at a time. Rejects after every visit has ended, with what came first. */
export async function eachOf<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  atOnce: number,
  visit: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  const visitor = async () => {
    for (;;) {
      const next = await iterator.next()
      if (next.done) return
      await visit(next.value)
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, visitor))
  const failed = ended.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

/** So many things at a time, first come, first served. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Nothing to wait for where one is free. */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}

interface Silence {
  signal: AbortSignal
  clock: Clock
  silentMs: number
  error: () => Error
}

/**
 * Rejects with the error when `work` says nothing for so long, and with the signal's reason as soon as it aborts.
 * @param work calls `answered` to say that it goes on. Its signal aborts when nobody waits for it any more
 */
export async function unlessSilent<Answer>(
  { signal, clock, silentMs, error }: Silence,
  work: (answered: () => void, ended: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const silent = new AbortController()
  const ended = AbortSignal.any([signal, silent.signal])
  let answers = 0
  const watch = (before: number): Timer =>
    clock.setTimeout(() => {
      if (answers === before) silent.abort(error())
      else timer = watch(answers)
    }, silentMs)
  let timer = watch(answers)
  try {
    return await untilAborted(
      work(() => answers++, ended),
      ended,
    )
  } finally {
    timer.cancel()
  }
}
