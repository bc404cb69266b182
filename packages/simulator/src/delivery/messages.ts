import type { ScimEvent } from '@scalekit-scim/core'
import type { FaultName } from './faults.ts'

// These objects change while a message is pending. To keep a state, copy the object.

/** One event with one id, for all endpoints that receive its type. */
export interface Message {
  /** `msg_…`: the `webhook-id` of all its attempts. */
  readonly id: string
  readonly event: ScimEvent
  readonly createdAtMs: number
  readonly deliveries: readonly Delivery[]
}

/** One message to one endpoint. */
export interface Delivery {
  readonly endpointId: string
  /**
   * `failed`: the last attempt failed, or the simulator stopped earlier (see `givenUp`). `dropped`: a fault prevented
   * all attempts.
   */
  readonly state: 'pending' | 'delivered' | 'failed' | 'dropped'
  /** Why the simulator stopped before the last attempt. */
  readonly givenUp?: string
  /** The attempts that have ended, in the order in which they began. */
  readonly attempts: readonly Attempt[]
  readonly attemptsUnderWay: number
  /** In the time of the simulator's clock. */
  readonly nextAttemptAtMs?: number
}

export type AttemptTrigger = 'schedule' | 'replay' | 'duplicate' | 'forge'

/** One request and its answer. */
export interface Attempt {
  /** The first attempt is 1. All triggers share this count. */
  readonly number: number
  readonly trigger: AttemptTrigger
  /** In the time of the simulator's clock. */
  readonly startedAtMs: number
  /** In real time. */
  readonly durationMs: number
  readonly request: {
    readonly headers: Readonly<Record<string, string>>
    /** The sent part of the body. */
    readonly body: string
  }
  readonly response?: AttemptResponse
  /** Why there is no response. */
  readonly error?: string
  readonly faults: readonly FaultName[]
}

export interface AttemptResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The first 64 kB of the body. */
  readonly body: string
}

/** Scalekit counts only 200 and 201 as delivered. */
export function isDelivered({ response }: Pick<Attempt, 'response'>): boolean {
  return response?.status === 200 || response?.status === 201
}

export type DeliveryErrorReason = 'not-found' | 'invalid' | 'closed'

/** `deliveries` refused a call. For example, an endpoint or a message does not exist, or a value is invalid. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  readonly reason: DeliveryErrorReason

  constructor(reason: DeliveryErrorReason, message: string) {
    super(message)
    this.reason = reason
  }
}
