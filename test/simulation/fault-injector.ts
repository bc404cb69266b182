import { CommonFaults, type Interruption } from './common-faults.ts'
import type { Fleet, Instance } from './fleet.ts'
import { type Message, resourceOf } from './messages.ts'
import type { Plan } from './plan.ts'
import type { FaultPlan } from './plan-faults.ts'
import type { Forget, HistoryRecord } from './record.ts'
import type { Server } from './stores/server.ts'
import type { SimulatedStore } from './stores/simulated-store.ts'
import type { World } from './world.ts'

interface Scene {
  world: World
  plan: Plan
  record: HistoryRecord
  fleet: Fleet
  server: Server
  store: SimulatedStore
  messages: ReadonlyMap<string, Message>
}

/** Carries out the faults of a plan. */
export class FaultInjector {
  readonly #scene: Scene
  readonly #common: CommonFaults

  constructor(scene: Scene) {
    this.#scene = scene
    this.#common = new CommonFaults(scene)
  }

  schedule(fault: FaultPlan): void {
    const { world } = this.#scene
    world.schedule(fault.atMs, () => {
      world.story.tell(() => `*** ${JSON.stringify(fault)}`)
      this.#inject(fault)
    })
  }

  /** Ends all faults that still last. */
  endAll(): void {
    this.#common.endAll()
    this.#scene.fleet.repair()
  }

  #inject(fault: FaultPlan): void {
    const { world, plan, fleet, server } = this.#scene
    switch (fault.what) {
      case 'crash':
      case 'pause':
        this.#interrupt(fault)
        break
      case 'close':
        fleet.close(fault)
        break
      case 'set-clock':
        fleet.at(fault.process)?.process.setClock(fault.byMs)
        break
      case 'forget':
        this.#forget(fault, fleet.at(fault.process))
        break
      case 'freeze':
        this.#common.freeze(fault)
        break
      case 'shut-down':
        this.#common.shutDown(fault)
        break
      case 'flaky':
        server.faults = fault.network
        world.schedule(fault.forMs, () => {
          if (server.faults === fault.network) server.faults = plan.network
        })
        break
      case 'lose':
        this.#common.lose(fault)
        break
    }
  }

  #interrupt(fault: Interruption): void {
    const { fleet } = this.#scene
    const instance = fleet.at(fault.process)
    if (!instance) return
    this.#common.interrupt(fault, instance.process, () => fleet.crash(fault.process, instance, fault.forMs))
  }

  #forget({ messageId, forgets }: FaultPlan & { what: 'forget' }, instance: Instance | undefined): void {
    const { world, record, messages } = this.#scene
    const message = messages.get(messageId)
    if (!message || !instance?.process.isAlive || instance.isClosing) return
    const { process, receiver } = instance
    const forget = async () => {
      const noted: Forget = { message, forgets, atMs: world.nowMs, endedMs: Number.POSITIVE_INFINITY }
      record.forgets.push(noted)
      if (forgets === 'message') await receiver.forget(messageId)
      else await receiver.forgetResource(resourceOf(message))
      noted.endedMs = world.nowMs
    }
    // If the store fails, the call rejects. It may still take effect.
    world.schedule(0, () => void forget().catch(() => {}), process)
  }
}
