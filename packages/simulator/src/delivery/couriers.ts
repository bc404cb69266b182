import type { Randomness } from '../randomness.ts'
import { Courier, type Depot, type Route } from './courier.ts'
import { Lane } from './lane.ts'
import type { MessageRecord, OpenDelivery } from './message-log.ts'
import { Overtaking } from './overtaking.ts'

/** Who brings which message where. */
export class Couriers {
  readonly #depot: Depot
  readonly #connectionsPerEndpoint: number
  readonly #randomness: Randomness
  readonly #routes = new Map<string, Route>()
  readonly #couriers = new WeakMap<OpenDelivery, Courier>()

  constructor(depot: Depot, connectionsPerEndpoint: number, randomness: Randomness) {
    this.#depot = depot
    this.#connectionsPerEndpoint = connectionsPerEndpoint
    this.#randomness = randomness
  }

  /** Adds an endpoint to those that a message goes to; nothing sets out yet. */
  address(record: MessageRecord, endpointId: string, state: 'pending' | 'failed'): Courier {
    const delivery: OpenDelivery = { endpointId, state, attempts: [], attemptsUnderWay: 0 }
    const randomness = this.#randomness.fork(`${record.ordinal} ${endpointId}`)
    const courier = new Courier(this.#depot, this.#routeTo(endpointId), record, delivery, randomness)
    record.deliveries.push(delivery)
    this.#couriers.set(delivery, courier)
    return courier
  }

  of(delivery: OpenDelivery): Courier | undefined {
    return this.#couriers.get(delivery)
  }

  /** Those whose endpoint is still there. */
  ofAll({ deliveries }: MessageRecord): Courier[] {
    return deliveries.flatMap((delivery) => {
      const courier = this.of(delivery)
      return courier && this.#depot.endpoint(delivery.endpointId) ? [courier] : []
    })
  }

  /** The endpoint is gone. */
  closeRoute(endpointId: string): void {
    this.#routes.delete(endpointId)
  }

  #routeTo(endpointId: string): Route {
    const known = this.#routes.get(endpointId)
    if (known) return known
    const { clock } = this.#depot
    const route = { lane: new Lane(this.#connectionsPerEndpoint), overtaking: new Overtaking(clock) }
    this.#routes.set(endpointId, route)
    return route
  }
}
