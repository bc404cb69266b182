import type { SimulatorClock } from './clock.ts'
import type { Deliveries } from './delivery/deliveries.ts'
import type { Environment } from './environment/environment.ts'
import type { SimulatorFaults } from './options.ts'

export interface Simulator extends AsyncDisposable {
  /** The environment URL for the SDK. */
  readonly url: string
  /** The environment variables of Scalekit's quickstart. The webhook secret is the secret of the first endpoint. */
  readonly variables: Readonly<Record<string, string>>
  readonly environment: Environment
  readonly deliveries: Deliveries
  readonly clock: SimulatorClock
  /** Replaces the faults of `webhooks`, of `api`, or of both. The faults of an absent part do not change. */
  setFaults(faults: SimulatorFaults): void
  /** Moves the clock forward. The clock waits for each attempt that becomes due. */
  step(ms: number): Promise<void>
  /** Waits for the running attempts, and frees the port. */
  close(): Promise<void>
}
