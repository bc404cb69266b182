import { noFaults, type Server } from '../stores/server.ts'
import type { World } from '../world.ts'
import type { SimulatedApi } from './api.ts'
import type { Customers } from './customers.ts'
import type { DeletionJudge } from './deletion-judge.ts'
import type { SyncFleet, SyncInstance } from './fleet.ts'
import type { Lies } from './lies.ts'
import type { Interruption, SyncFaultPlan } from './plan-faults.ts'
import type { SyncStore } from './sync-store.ts'

interface Scene {
  world: World
  customers: Customers
  lies: Lies
  judge: DeletionJudge
  server: Server
  store: SyncStore
  api: SimulatedApi
  fleet: SyncFleet
}

/** Carries out the faults of a plan. */
export class SyncFaultInjector {
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
  }

  schedule(fault: SyncFaultPlan): void {
    const { world } = this.#scene
    world.schedule(fault.atMs, () => {
      world.story.tell(() => `*** ${JSON.stringify(fault)}`)
      this.#inject(fault)
    })
  }

  /** Ends all faults that still last. */
  endAll(): void {
    const { world, customers, lies, server, api, fleet } = this.#scene
    world.story.tell(() => '*** all faults have ended')
    server.faults = noFaults
    server.recover()
    server.cancelInterruptions()
    api.isDown = false
    for (const directory of customers.environment.directories) customers.setEnabled(directory, true)
    lies.end()
    fleet.repair()
  }

  #inject(fault: SyncFaultPlan): void {
    const { world, customers, lies, server, api, fleet } = this.#scene
    switch (fault.what) {
      case 'crash':
      case 'pause':
        this.#interrupt(fault, fleet.at(fault.process))
        break
      case 'close':
        fleet.close(fault.process, fault.forMs)
        break
      case 'freeze':
        server.freeze()
        world.schedule(fault.forMs, () => server.recover(fault.droppedShare))
        break
      case 'shut-down':
        server.shutDown()
        world.schedule(fault.forMs, () => server.recover())
        break
      case 'api-down':
        api.isDown = true
        world.schedule(fault.forMs, () => {
          api.isDown = false
        })
        break
      case 'lose':
        this.#lose(fault.windowMs)
        break
      case 'hide':
        lies.hide(fault.share)
        world.schedule(fault.forMs, () => lies.end())
        break
      case 'omit':
        lies.omit(fault.share)
        world.schedule(fault.forMs, () => lies.end())
        break
      case 'leave-out': {
        const { directories } = customers.environment
        const present = directories.filter(({ removed }) => !removed)
        const directory = present.find(({ id }) => id === fault.directoryId) ?? present[0]
        if (!directory || present.length < 2) break
        lies.leaveOut(directory)
        world.schedule(fault.forMs, () => lies.end())
      }
    }
  }

  #interrupt(
    { what, moment, forMs, process: place }: Interruption,
    instance: SyncInstance | undefined,
  ): void {
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
    const { world, server, store, judge } = this.#scene
    const sinceMs = world.nowMs - windowMs
    server.shutDown()
    store.loseSince(sinceMs)
    server.losses.push({ atMs: world.nowMs, sinceMs })
    judge.storeLost(sinceMs)
    world.schedule(300, () => server.recover())
  }
}
