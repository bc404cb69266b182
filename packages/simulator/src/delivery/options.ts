import type { Clock } from '@scalekit-scim/core'
import type { Randomness } from '../randomness.ts'
import type { WebhookFaults } from './faults.ts'

export interface DeliveriesOptions {
  clock: Clock
  randomness: Randomness
  /** How far a wait may be off the schedule, up or down. @default 0.2 */
  retryJitterShare?: number
  faults?: WebhookFaults
  /** How long an attempt waits for its whole answer, in real time. @default 10 */
  attemptDeadlineSeconds?: number
  /** How many attempts an endpoint gets at a time. @default 64 */
  connectionsPerEndpoint?: number
  /** How many finished messages are kept. @default 10 000 */
  keptMessages?: number
  /** PEM: by what endpoints on https with a certificate of their own are trusted. */
  certificateAuthority?: string
}
