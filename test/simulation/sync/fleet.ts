import { createReceiver } from '@scalekit-scim/core'
import { createDirectorySync, type DirectorySync, type SyncReport } from '@scalekit-scim/core/sync'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import type { Findings } from '../findings.ts'
import type { Instance } from '../fleet.ts'
import { SimulatedProcess } from '../process.ts'
import type { Stream } from '../stream.ts'
import type { World } from '../world.ts'
import type { SimulatedApi } from './api.ts'
import type { SyncApplication } from './application.ts'
import type { SyncCause } from './documented-causes.ts'
import type { SyncPlan } from './plan.ts'
import type { SyncStore } from './sync-store.ts'

/** One process of the application, with its receiver and its sync. */
export interface SyncInstance extends Instance {
  readonly sync: DirectorySync
}

interface Scene {
  world: World
  plan: SyncPlan
  store: SyncStore
  application: SyncApplication
  api: SimulatedApi
  findings: Findings<SyncCause>
  onReport(instance: SyncInstance, report: SyncReport): void
  /** A webhook was answered stale. */
  onStale(messageId: string): void
  isQuiet: () => boolean
}

export const graceSeconds = 5
/** After the grace period, `stop()` waits twice for one second. */
const stopAtMostMs = (graceSeconds + 2) * 1000 + 300
/** The platform kills a process that does not end. */
const killAfterMs = 30_000

/** The processes of an application. Each has a place, in which a new process starts after its end. */
export class SyncFleet {
  readonly all: SyncInstance[] = []
  readonly #places: SyncInstance[] = []
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
  }

  start(): void {
    for (let place = 0; place < this.#scene.plan.processes; place++) this.#startAt(place)
  }

  at(place: number): SyncInstance | undefined {
    return this.#places[place]
  }

  /** The processes that run and do not close. */
  running(): SyncInstance[] {
    return this.#places.filter(({ process, isClosing }) => process.isAlive && !isClosing)
  }

  /** Picks the process that receives an attempt. A load balancer mostly picks a process that runs. */
  pick(random: Stream, isQuiet: boolean): SyncInstance {
    const running = this.running()
    const isWrong = random.happens(0.1) && !isQuiet
    return random.pick(isWrong || running.length === 0 ? this.#places : running)
  }

  crash(place: number, instance: SyncInstance, forMs: number): void {
    if (!instance.process.isAlive) return
    instance.process.die()
    this.#replaceIn(forMs, place, instance)
  }

  /** Closes a process as a deployment does, and starts another one in its place. */
  close(place: number, forMs: number): void {
    const instance = this.#places[place]
    if (!instance?.process.isAlive || instance.isClosing) return
    const { world } = this.#scene
    const { process, receiver } = instance
    instance.isClosing = true
    const exit = () => {
      if (!process.isAlive) return
      process.die()
      this.#replaceIn(forMs, place, instance)
    }
    const close = async () => {
      process.closedMs = world.nowMs
      await Promise.all([this.stop(instance), receiver.close({ graceSeconds })])
      instance.store.close()
      world.schedule(20, exit, process)
    }
    world.schedule(0, () => void close(), process)
    world.schedule(killAfterMs, exit)
  }

  /** `stop()` resolves in time, unless its process is paused. */
  async stop({ sync, process }: SyncInstance): Promise<void> {
    const { world, findings } = this.#scene
    const calledMs = world.nowMs
    const check = () => {
      if (process.diedMs <= calledMs + stopAtMostMs || process.wasPausedBetween(calledMs, world.nowMs)) return
      findings.violate('stop() ends in time', world.nowMs, `stop() of ${process.name} has not ended`)
    }
    const late = world.schedule(stopAtMostMs, check)
    await sync.stop({ graceSeconds })
    late.isCancelled = true
  }

  /** Ends all pauses, and starts a process in each empty place. */
  repair(): void {
    for (const [place, instance] of this.#places.entries()) {
      instance.process.resume()
      if (!instance.process.isAlive || instance.isClosing) this.#startAt(place)
    }
  }

  #replaceIn(delayMs: number, place: number, former: SyncInstance): void {
    this.#scene.world.schedule(delayMs, () => {
      if (this.#places[place] === former) this.#startAt(place)
    })
  }

  #startAt(place: number): void {
    const { world, plan, store, application, api, onReport, onStale, isQuiet } = this.#scene
    const { everySeconds, ...numbers } = plan.sync
    const name = `p${place}.${this.all.length}`
    const process = new SimulatedProcess(world, name, plan.clockOffsetsMs.processes[place] ?? 0)
    const opened = store.openIn(process)
    const log = (fields: object, text: string) => {
      world.story.tell(() => `  ${name} logs: ${text} ${JSON.stringify(fields).slice(0, 200)}`)
    }
    const common = {
      clock: process.clock,
      logger: world.story.isTold ? { warn: log, error: log } : false,
    } as const
    const receiver = createReceiver({
      ...common,
      secret: TEST_SECRET,
      store: opened.store,
      namespace: 'simulation',
      ...application.handlersIn(process),
      onOutcome: ({ outcome, source, messageId }) => {
        if (outcome === 'stale' && source === 'webhook' && messageId !== undefined) onStale(messageId)
      },
    })
    const sync = createDirectorySync({
      ...common,
      scalekit: api.clientIn(process),
      dispatcher: receiver,
      organizations: 'all',
      ...application.knownIn(process),
      schedule: { everySeconds },
      ...numbers,
      onReport: (report) => onReport(instance, report),
    })
    const instance = { process, receiver, sync, store: opened, isClosing: false, lingers: false }
    this.#places[place] = instance
    this.all.push(instance)
    world.story.tell(() => `${name} starts`)
    if (!isQuiet()) world.schedule(10, () => sync.start(), process)
  }
}
