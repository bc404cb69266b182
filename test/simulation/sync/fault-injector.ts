import { CommonFaults, type Interruption } from '../common-faults.ts'
import type { Server } from '../stores/server.ts'
import type { World } from '../world.ts'
import type { SimulatedApi } from './api.ts'
import type { Customers } from './customers.ts'
import type { DeletionJudge } from './deletion-judge.ts'
import type { SyncFleet } from './fleet.ts'
import type { Lies } from './lies.ts'
import type { SyncFaultPlan } from './plan-faults.ts'
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
  readonly #common: CommonFaults

  constructor(scene: Scene) {
    this.#scene = scene
    this.#common = new CommonFaults(scene)
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
    const { customers, lies, api, fleet } = this.#scene
    this.#common.endAll()
    api.isDown = false
    for (const directory of customers.environment.directories) customers.setEnabled(directory, true)
    lies.end()
    fleet.repair()
  }

  #inject(fault: SyncFaultPlan): void {
    const { world, customers, lies, judge, api, fleet } = this.#scene
    switch (fault.what) {
      case 'crash':
      case 'pause':
        this.#interrupt(fault)
        break
      case 'close':
        fleet.close(fault.process, fault.forMs)
        break
      case 'freeze':
        this.#common.freeze(fault)
        break
      case 'shut-down':
        this.#common.shutDown(fault)
        break
      case 'api-down':
        api.isDown = true
        world.schedule(fault.forMs, () => {
          api.isDown = false
        })
        break
      case 'lose':
        judge.storeLost(this.#common.lose(fault))
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

  #interrupt(fault: Interruption): void {
    const { fleet } = this.#scene
    const instance = fleet.at(fault.process)
    if (!instance) return
    this.#common.interrupt(fault, instance.process, () => fleet.crash(fault.process, instance, fault.forMs))
  }
}
