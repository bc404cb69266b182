import type { SimulatedProcess } from './process.ts'
import { type CallMoment, noFaults, type Server } from './stores/server.ts'
import type { World } from './world.ts'

/** A crash or a pause of a process, at its time or at the next call of the store in that moment. */
export interface Interruption {
  what: 'crash' | 'pause'
  atMs: number
  forMs: number
  /** The index of the process. */
  process: number
  moment: 'any' | CallMoment
}

interface Scene {
  world: World
  server: Server
  store: { loseSince(sinceMs: number): void }
}

/** The faults that all simulations have: of processes, and of the store's server. */
export class CommonFaults {
  readonly #scene: Scene

  constructor({ world, server, store }: Scene) {
    this.#scene = { world, server, store }
  }

  interrupt(
    { what, moment, forMs }: Pick<Interruption, 'what' | 'moment' | 'forMs'>,
    process: SimulatedProcess,
    crash: () => void,
  ): void {
    const { world, server } = this.#scene
    const interrupt = () => {
      world.story.tell(() => `*** ${what} of ${process.name}`)
      if (what === 'crash') {
        crash()
      } else {
        process.pause()
        world.schedule(forMs, () => process.resume())
      }
    }
    if (moment === 'any') interrupt()
    else server.interruptNextCall(process, moment, interrupt)
  }

  freeze({ forMs, droppedShare }: { forMs: number; droppedShare: number }): void {
    const { world, server } = this.#scene
    server.freeze()
    world.schedule(forMs, () => server.recover(droppedShare))
  }

  shutDown({ forMs }: { forMs: number }): void {
    const { world, server } = this.#scene
    server.shutDown()
    world.schedule(forMs, () => server.recover())
  }

  /** The store's server fails, and its replacement has lost data. Returns the time since which data is lost. */
  lose({ windowMs = Number.POSITIVE_INFINITY }: { windowMs?: number }): number {
    const { world, server, store } = this.#scene
    const sinceMs = world.nowMs - windowMs
    this.shutDown({ forMs: 300 })
    store.loseSince(sinceMs)
    server.losses.push({ atMs: world.nowMs, sinceMs })
    return sinceMs
  }

  /** Ends the faults that still last. */
  endAll(): void {
    const { world, server } = this.#scene
    world.story.tell(() => '*** all faults have ended')
    server.faults = noFaults
    server.recover()
    server.cancelInterruptions()
  }
}
