import { type Clock, createDispatcher, type Dispatcher, StoreUnavailableError } from '@scalekit-scim/core'
import type { Guarantee } from '@scalekit-scim/core/adapter'
import {
  createDirectorySync,
  type DirectoryApi,
  type DirectoryRef,
  type DirectorySync,
  type KnownRecord,
} from '@scalekit-scim/core/sync'
import { type Effect, handlersFor } from './accounts.ts'
import type { Kind } from './environment.ts'
import type { Limits } from './limits-watch.ts'
import type { SharedStore, StoreCall } from './shared-store.ts'

/** The place where a process crashes, and the number of the visit at which it crashes. */
export interface CrashPoint {
  place: 'store call' | 'write of deletions' | 'page' | 'deletion'
  nth: number
  point: 'before' | 'after'
}

/** The calls of the store that fail. */
export type StoreTrouble = (call: StoreCall) => boolean

export interface ProcessOptions {
  clock: Clock
  store: SharedStore
  guarantee: Guarantee
  api: DirectoryApi
  limits: Partial<Limits>
  knows: { users: true; groups: boolean }
  known(kind: Kind, directory: DirectoryRef): KnownRecord[]
  handle(effect: Effect, process: AppProcess): Promise<void>
  /** Called for each call of the store. */
  watch(call: StoreCall): void
}

/** One process of the application. After a crash, its code has no effects. */
export class AppProcess {
  alive = true
  crashAt: CrashPoint | undefined
  trouble: StoreTrouble = () => false
  readonly dispatcher: Dispatcher
  readonly sync: DirectorySync
  readonly #end = new AbortController()
  #gone = false

  constructor(options: ProcessOptions) {
    const clock = this.#clockOf(options.clock)
    const { store, guarantee, known, handle, knows } = options
    const ledger = store.reachedBy((call, point) => this.#use(call, point, options), guarantee)
    this.dispatcher = createDispatcher({
      store: ledger,
      logger: false,
      clock,
      ...handlersFor((effect) => handle(effect, this)),
    })
    this.sync = createDirectorySync({
      scalekit: options.api,
      dispatcher: this.dispatcher,
      organizations: 'all',
      known: {
        users: (directory) => this.#ask(() => known('user', directory)),
        ...(knows.groups ? { groups: (directory) => this.#ask(() => known('group', directory)) } : {}),
      },
      deletions: options.limits,
      logger: false,
      clock,
    })
  }

  /** Ends the pass of a crashed process, so that it does not continue in the test's process. */
  get ended(): AbortSignal {
    return this.#end.signal
  }

  /** Marks a place where the process may crash. @throws if it has crashed */
  pass(place: CrashPoint['place'], point: CrashPoint['point']): void {
    this.requireAlive()
    const planned = this.crashAt
    if (planned?.place !== place || planned.point !== point || --planned.nth > 0) return
    this.crash()
    this.requireAlive()
  }

  crash(): void {
    this.alive = false
    this.#end.abort(new Error('the process has crashed'))
  }

  /** Stops the timers of a crashed process. */
  bury(): void {
    this.#gone = true
  }

  requireAlive(): void {
    if (!this.alive) throw new Error('the process has crashed')
  }

  #ask<Answer>(ask: () => Answer): Answer {
    this.requireAlive()
    return ask()
  }

  #use(call: StoreCall, point: CrashPoint['point'], { watch }: ProcessOptions): void {
    if (point === 'before') watch(call)
    if (isWriteOfDeletions(call)) this.pass('write of deletions', point)
    this.pass('store call', point)
    if (this.trouble(call)) throw new StoreUnavailableError('the store is away')
  }

  #clockOf(clock: Clock): Clock {
    return {
      ...clock,
      setTimeout: (callback, delayMs) =>
        clock.setTimeout(() => {
          if (!this.#gone) callback()
        }, delayMs),
    }
  }
}

/** Returns whether the name is of a record of deletions: the counts, or the held batches. */
export function isOfDeletions({ record }: StoreCall): boolean {
  return record?.startsWith('deletions:') ?? false
}

export function isWriteOfDeletions(call: StoreCall): boolean {
  return call.writes && isOfDeletions(call)
}
