import type { Clock, Timer } from '@scalekit-scim/core'
import { replaceRandomness } from '@scalekit-scim/core/internal'
import type { EventOwner, ScheduledEvent } from './event-queue.ts'
import type { Stream } from './stream.ts'
import { startMs, type World } from './world.ts'

export interface Pause {
  readonly fromMs: number
  toMs: number
}

/** One operating system process. If it dies, its timers and everything on the way to it are lost. */
export class SimulatedProcess implements EventOwner {
  readonly name: string
  readonly clock: Clock
  readonly pauses: Pause[] = []
  /** The time of death. A process that exits after `close()` also dies. */
  diedMs = Number.POSITIVE_INFINITY
  /** The time at which `close()` was called. */
  closedMs = Number.POSITIVE_INFINITY
  isPaused = false
  /** The number of timers that are set. */
  timers = 0
  #clockOffsetMs: number
  readonly #world: World
  readonly #random: Stream
  readonly #bornMs: number
  readonly #onDeath: (() => void)[] = []
  #kept: ScheduledEvent[] = []

  constructor(world: World, name: string, clockOffsetMs: number) {
    this.#world = world
    this.name = name
    this.#clockOffsetMs = clockOffsetMs
    this.#random = world.stream(name)
    this.#bornMs = world.nowMs
    this.clock = {
      now: () => startMs + world.nowMs + this.#clockOffsetMs,
      monotonic: () => 50 + world.nowMs - this.#bornMs,
      setTimeout: (callback, delayMs) => this.#setTimer(callback, delayMs),
    }
    const random = world.stream(`${name} random`)
    replaceRandomness(this.clock, { fraction: () => random.next(), uuid: () => random.uuid() })
  }

  get isAlive(): boolean {
    return this.diedMs === Number.POSITIVE_INFINITY
  }

  /** Calls a function at the death of the process. */
  onDeath(callback: () => void): void {
    this.#onDeath.push(callback)
  }

  die(): void {
    if (!this.isAlive) return
    this.diedMs = this.#world.nowMs
    this.#endPause()
    this.#kept = []
    for (const callback of this.#onDeath) callback()
  }

  pause(): void {
    if (!this.isAlive || this.isPaused) return
    this.isPaused = true
    this.pauses.push({ fromMs: this.#world.nowMs, toMs: Number.POSITIVE_INFINITY })
  }

  /** Keeps an event until the process continues. */
  keep(event: ScheduledEvent): void {
    this.#kept.push(event)
  }

  /** Continues. The loop starts with its timers or with its sockets, wherever the process was paused. */
  resume(): void {
    if (!this.isPaused) return
    this.#endPause()
    const rankOfTimers = this.#random.pick([-1, 0, 1])
    const rank = ({ isTimer }: ScheduledEvent) => (isTimer ? rankOfTimers : 0)
    const kept = this.#kept.sort((a, b) => rank(a) - rank(b) || a.atMs - b.atMs || a.order - b.order)
    this.#kept = []
    for (const [index, event] of kept.entries()) this.#world.reschedule(event, (index + 1) / 1000)
  }

  /** Sets the wall clock forward, or back. */
  setClock(byMs: number): void {
    this.#clockOffsetMs += byMs
  }

  wasPausedBetween(fromMs: number, toMs: number): boolean {
    return this.pauses.some((pause) => pause.fromMs <= toMs && pause.toMs >= fromMs)
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#world.schedule(delayMs, resolve, this))
  }

  #endPause(): void {
    this.isPaused = false
    const pause = this.pauses.at(-1)
    if (pause) pause.toMs = Math.min(pause.toMs, this.#world.nowMs)
  }

  /** libuv counts whole milliseconds. So a timer can fire up to one millisecond early, and a busy loop makes it late. */
  #setTimer(callback: () => void, delayMs: number): Timer {
    const lateMs = this.#random.happens(0.9) ? this.#random.real(-0.9, 1.5) : this.#random.real(0, 30)
    this.timers++
    let isSet = true
    const unset = () => {
      if (isSet) this.timers--
      isSet = false
    }
    const fire = () => {
      unset()
      callback()
    }
    const event = this.#world.schedule(Math.max(delayMs, 1) + lateMs, fire, this, { isTimer: true })
    return {
      cancel: () => {
        event.isCancelled = true
        unset()
      },
    }
  }
}
