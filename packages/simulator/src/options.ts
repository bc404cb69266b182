import type { ApiFaults } from './api/faults.ts'
import type { NewEndpoint } from './delivery/endpoints.ts'
import type { WebhookFaults } from './delivery/faults.ts'

export interface SimulatorOptions {
  /** Others than this machine reach it only when this is another. @default '127.0.0.1' */
  host?: string
  /** @default 0: any that is free */
  port?: number
  /**
   * Decides ids, secrets, faults and jitter: with a clock that begins at the same time, the same seed gives the same run.
   * @default secrets that are the same at each start, and ids that are new at each, so that an application which has
   * kept what it heard of an earlier start takes nobody for somebody else
   */
  seed?: number | string
  /** Where the environment is kept, so that the next start takes it up. @default nowhere: it ends with the process */
  file?: string
  /** @default of the seed */
  clientId?: string
  /** @default of the seed */
  clientSecret?: string
  /** How long an access token is good. @default 86 399, as Scalekit's documentation shows */
  tokenSeconds?: number
  /** API calls above this fail with ResourceExhausted until the minute is over. @default no limit */
  requestsPerMinute?: number
  /** Where webhooks go from the start. One that the file has already, by its URL, is not added again. @default none */
  endpoints?: readonly NewEndpoint[]
  /**
   * How much faster than real time its clock goes; at 0 it stands still but for `step`. A receiver refuses what was
   * signed over 300 s away from its own clock, so give it this one: `createReceiver({ clock: simulator.clock })`.
   * @default 1
   */
  clockSpeed?: number
  /** The time at which its clock begins. @default now; of a clock that is faster or stands still, where the file left it */
  from?: Date
  /** How far a wait between attempts may be off the schedule, up or down. @default 0.2 */
  retryJitterShare?: number
  faults?: SimulatorFaults
  /** The time that a change bears, in whole microseconds: another clock's. @default the simulator's, each later than the last */
  stampMicros?: () => number
}

export interface SimulatorFaults {
  webhooks?: WebhookFaults
  api?: ApiFaults
}
