import { setFlagsFromString } from 'node:v8'
import { type EventOwner, EventQueue, type ScheduledEvent } from './event-queue.ts'
import { Story } from './story.ts'
import { Stream } from './stream.ts'

setFlagsFromString('--allow-natives-syntax')
/** Runs all microtasks now. So a history needs no turn of the real event loop, which would take most of its time. */
const runMicrotasks = new Function('%PerformMicrotaskCheckpoint()')

/** The wall-clock time at which each history begins. */
export const startMs = Date.parse('2026-11-23T09:00:00Z')

export interface WorldOptions {
  seed: number
  /** Whether each event gets a real turn of the event loop. Slower, but late rejections count as in production. */
  isStrict?: boolean
  isTold?: boolean
}

/** The virtual time of a history, and everything that will happen in it. */
export class World {
  /** The time since the history began. */
  nowMs = 0
  events = 0
  readonly story: Story
  readonly #queue = new EventQueue()
  readonly #random: Stream
  readonly #order: Stream
  readonly #isStrict: boolean
  readonly #streams = new Map<string, number>()

  constructor({ seed, isStrict = false, isTold = false }: WorldOptions) {
    this.#random = new Stream(seed)
    this.#order = this.#random.fork('order')
    this.#isStrict = isStrict
    this.story = new Story(() => this.nowMs, isTold)
  }

  /** Returns a new stream of choices for each call with the same name. */
  stream(name: string): Stream {
    const count = (this.#streams.get(name) ?? 0) + 1
    this.#streams.set(name, count)
    return this.#random.fork(name, count)
  }

  /** Runs a function after a delay. If it belongs to a process, it waits while the process is paused. */
  schedule(delayMs: number, run: () => void, owner?: EventOwner, { isTimer = false } = {}): ScheduledEvent {
    const atMs = this.nowMs + Math.max(delayMs, 0)
    const event = { atMs, order: this.#order.next(), run, owner, isTimer, isCancelled: false }
    this.#queue.add(event)
    return event
  }

  /** Schedules an event again that a paused process has kept. */
  reschedule(event: ScheduledEvent, delayMs: number): void {
    event.atMs = this.nowMs + delayMs
    this.#queue.add(event)
  }

  /** Runs events until the time is over, or until `isOver` returns true after an event. */
  async run(untilMs: number, isOver = () => false): Promise<void> {
    if (this.#isStrict) await this.#runStrictly(untilMs, isOver)
    else await inMacrotask(() => this.#runAtOnce(untilMs, isOver))
    if (!isOver()) this.nowMs = Math.max(this.nowMs, untilMs)
  }

  async #runStrictly(untilMs: number, isOver: () => boolean): Promise<void> {
    await inMacrotask(() => {})
    for (let event = this.#next(untilMs); event; event = this.#next(untilMs)) {
      await inMacrotask(event.run)
      await inMacrotask(() => {})
      if (isOver()) return
    }
  }

  #runAtOnce(untilMs: number, isOver: () => boolean): void {
    runMicrotasks()
    for (let event = this.#next(untilMs); event; event = this.#next(untilMs)) {
      event.run()
      runMicrotasks()
      if (isOver()) return
    }
  }

  #next(untilMs: number): ScheduledEvent | undefined {
    for (;;) {
      const { first } = this.#queue
      if (!first || first.atMs > untilMs) return undefined
      this.#queue.takeFirst()
      const { owner } = first
      if (first.isCancelled || owner?.isAlive === false) continue
      this.nowMs = first.atMs
      if (owner?.isPaused) {
        owner.keep(first)
        continue
      }
      this.events++
      return first
    }
  }
}

/** Microtasks can only be run from a macrotask: inside another microtask, the call does nothing. */
function inMacrotask(run: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        run()
        resolve()
      } catch (error) {
        reject(error)
      }
    })
  })
}
