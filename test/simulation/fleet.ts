import { createReceiver, type Receiver } from '@scalekit-scim/core'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { EventDispatcher } from '../../packages/core/src/dispatch/dispatcher.ts'
import type { Application } from './application.ts'
import type { Plan } from './plan.ts'
import type { ClosePlan } from './plan-faults.ts'
import { SimulatedProcess } from './process.ts'
import type { HistoryRecord } from './record.ts'
import type { OpenedStore, SimulatedStore } from './stores/simulated-store.ts'
import type { Stream } from './stream.ts'
import type { World } from './world.ts'

/** One process of the application, with its receiver. */
export interface Instance {
  readonly process: SimulatedProcess
  readonly receiver: Receiver
  readonly store: OpenedStore
  isClosing: boolean
  /** Whether the process continues to run after `close()`. */
  lingers: boolean
}

interface Scene {
  world: World
  plan: Plan
  record: HistoryRecord
  store: SimulatedStore
  application: Application
}

/** The processes of an application. Each has a place, in which a new process starts after its end. */
export class Fleet {
  readonly all: Instance[] = []
  readonly #places: Instance[] = []
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
    for (let place = 0; place < scene.plan.processes; place++) this.#start(place)
  }

  at(place: number): Instance | undefined {
    return this.#places[place]
  }

  /** Picks the process that receives an attempt. A load balancer mostly picks a process that runs. */
  pick(random: Stream, isQuiet: boolean): Instance {
    const open = this.#places.filter(({ process, isClosing }) => process.isAlive && !isClosing)
    const isWrong = random.happens(0.1) && !isQuiet
    return random.pick(isWrong || open.length === 0 ? this.#places : open)
  }

  crash(place: number, instance: Instance, forMs: number): void {
    if (!instance.process.isAlive) return
    instance.process.die()
    this.#scene.world.schedule(forMs, () => this.#replace(place, instance))
  }

  /** Closes a process as a deployment does, and starts another one in its place. */
  close(plan: ClosePlan): void {
    const { world, record } = this.#scene
    const instance = this.#places[plan.process]
    if (!instance?.process.isAlive || instance.isClosing) return
    const { process, receiver } = instance
    instance.isClosing = true
    if (plan.isReplacedFirst) world.schedule(50, () => this.#replace(plan.process, instance))
    const exit = () => {
      process.die()
      world.schedule(plan.forMs, () => this.#replace(plan.process, instance))
    }
    const close = async () => {
      process.closedMs = world.nowMs
      await receiver.close({ graceSeconds: plan.graceSeconds })
      world.story.tell(() => `${process.name} is closed`)
      this.#requireInTime(instance, plan.graceSeconds)
      this.#requirePatience(instance, plan.graceSeconds)
      instance.store.close()
      instance.lingers = plan.lingers
      if (plan.lingers) this.#replace(plan.process, instance)
      else world.schedule(20, exit, process)
    }
    world.schedule(
      0,
      () =>
        void close().catch((error) => {
          record.violations.push({
            invariant: 'close',
            atMs: world.nowMs,
            detail: `close() rejected: ${error}`,
          })
        }),
      process,
    )
    // The platform kills the process if it does not end.
    world.schedule(plan.graceSeconds * 1000 + 15_000, () => {
      if (!process.isAlive || instance.lingers) return
      if (!process.wasPausedBetween(process.closedMs, world.nowMs))
        this.#requireInTime(instance, plan.graceSeconds)
      exit()
    })
  }

  /** Ends all pauses, and starts a process in each empty place. */
  repair(): void {
    for (const [place, instance] of this.#places.entries()) {
      instance.process.resume()
      if (!instance.process.isAlive) this.#replace(place, instance)
    }
  }

  #replace(place: number, former: Instance): void {
    if (this.#places[place] === former) this.#start(place)
  }

  #start(place: number): void {
    const { world, plan, record, store, application } = this.#scene
    const name = `p${place}.${this.all.length}`
    const process = new SimulatedProcess(world, name, plan.clockOffsetsMs.processes[place] ?? 0)
    const opened = store.openIn(process)
    const slowSecret = async () => {
      await process.sleep(world.stream('secret').spread(1, 500))
      return TEST_SECRET
    }
    const log = ({ messageId = '' }: { messageId?: string }, text: string) => {
      world.story.tell(() => `  ${name} logs: ${text} ${messageId}`)
    }
    const receiver = createReceiver({
      secret: plan.application.resolvesSecret ? slowSecret : TEST_SECRET,
      store: opened.store,
      namespace: 'simulation',
      clock: process.clock,
      logger: world.story.isTold ? { warn: log, error: log } : false,
      ...plan.options,
      ...application.handlersIn(process),
    })
    const instance = { process, receiver, store: opened, isClosing: false, lingers: false }
    this.#places[place] = instance
    this.all.push(instance)
    process.onDeath(() => {
      for (const run of record.runs) {
        if (run.process !== process || run.end !== 'running') continue
        run.end = 'dead'
        run.endedMs = world.nowMs
      }
    })
    world.story.tell(() => `${name} starts`)
  }

  /** `close()` waits for the grace period, for one second after the abort, and for the last calls of the store. */
  #requireInTime({ process }: Instance, graceSeconds: number): void {
    const { world, plan, record } = this.#scene
    const tookMs = world.nowMs - process.closedMs
    const atMostMs = (graceSeconds + 1 + plan.options.storeTimeoutSeconds) * 1000 + 1500
    if (tookMs <= atMostMs || process.wasPausedBetween(process.closedMs, world.nowMs)) return
    const detail = `close() of ${process.name} took ${Math.round(tookMs)} ms, at most ${atMostMs} were expected`
    record.violations.push({ invariant: 'close', atMs: world.nowMs, detail })
  }

  /** While the store has not recorded a commit, `close()` does not end before the grace period. */
  #requirePatience({ process, receiver }: Instance, graceSeconds: number): void {
    const { world, record } = this.#scene
    const { pending } = dispatcherOf(receiver).sizes()
    const tookMs = world.nowMs - process.closedMs
    if (pending === 0 || tookMs > graceSeconds * 1000 - 100) return
    const detail = `close() of ${process.name} gave up ${pending} commits after ${Math.round(tookMs)} ms`
    record.violations.push({ invariant: 'close', atMs: world.nowMs, detail })
  }
}

function dispatcherOf(receiver: Instance['receiver']): EventDispatcher {
  if (!(receiver instanceof EventDispatcher)) throw new Error('a receiver is a dispatcher')
  return receiver
}

/** Returns everything that a process still keeps in memory when no event runs. */
export function leftIn({ process, receiver, store, lingers }: Instance): string[] {
  // While a store of its own sweeps, it has no timer.
  const timers = Math.max(process.timers - (lingers ? 0 : store.ownTimers), 0)
  // After `close()`, commits that the store did not record are given up, and stay.
  const { pending, ...sizes } = dispatcherOf(receiver).sizes()
  const left = Object.entries({ ...sizes, timers, pending: lingers ? 0 : pending })
  return left.filter(([, size]) => size !== 0).map(([name, size]) => `${name}: ${size}`)
}
