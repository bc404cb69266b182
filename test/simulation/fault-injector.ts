import type { Fleet, Instance } from './fleet.ts'
import { type Message, resourceOf } from './messages.ts'
import type { Plan } from './plan.ts'
import type { FaultPlan, Interruption } from './plan-faults.ts'
import type { Forget, HistoryRecord } from './record.ts'
import { noFaults, type Server } from './stores/server.ts'
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

  constructor(scene: Scene) {
    this.#scene = scene
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
    const { world, server, fleet } = this.#scene
    world.story.tell(() => '*** all faults have ended')
    server.faults = noFaults
    server.recover()
    server.cancelInterruptions()
    fleet.repair()
  }

  #inject(fault: FaultPlan): void {
    const { world, plan, fleet, server } = this.#scene
    switch (fault.what) {
      case 'crash':
      case 'pause':
        this.#interrupt(fault, fleet.at(fault.process))
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
        server.freeze()
        world.schedule(fault.forMs, () => server.recover(fault.droppedShare))
        break
      case 'shut-down':
        server.shutDown()
        world.schedule(fault.forMs, () => server.recover())
        break
      case 'flaky':
        server.faults = fault.network
        world.schedule(fault.forMs, () => {
          if (server.faults === fault.network) server.faults = plan.network
        })
        break
      case 'lose':
        this.#lose(fault.windowMs)
        break
    }
  }

  #interrupt({ what, moment, forMs, process: place }: Interruption, instance: Instance | undefined): void {
    const { world, fleet, server } = this.#scene
    if (!instance) return
    const { process } = instance
    const interrupt = () => {
      world.story.tell(() => `*** ${what} of ${process.name}`)
      if (what === 'crash') {
        fleet.crash(place, instance, forMs)
      } else {
        process.pause()
        world.schedule(forMs, () => process.resume())
      }
    }
    if (moment === 'any') interrupt()
    else server.interruptNextCall(process, moment, interrupt)
  }

  /** The store's server fails, and the one that takes over has lost data. */
  #lose(windowMs = Number.POSITIVE_INFINITY): void {
    const { world, server, store } = this.#scene
    const sinceMs = world.nowMs - windowMs
    server.shutDown()
    store.loseSince(sinceMs)
    server.losses.push({ atMs: world.nowMs, sinceMs })
    world.schedule(300, () => server.recover())
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
