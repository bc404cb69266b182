import type { ScimEvent } from '@scalekit-scim/core'
import type { FaultName } from './faults.ts'

// While a message is pending, the objects in this file change. To store a state, copy the object.

/** One event with one id, for all endpoints that receive its type. */
export interface Message {
  /** `msg_…`: the `webhook-id` of all attempts. */
  readonly id: string
  readonly event: ScimEvent
  readonly createdAtMs: number
  readonly deliveries: readonly Delivery[]
}

/** One message to one endpoint. */
export interface Delivery {
  readonly endpointId: string
  /**
   * `failed`: the last attempt failed, or the simulator stopped before the last attempt (see `givenUp`). `dropped`: a
   * fault prevented all attempts.
   */
  readonly state: 'pending' | 'delivered' | 'failed' | 'dropped'
  /** The reason why the simulator stopped before the last attempt. */
  readonly givenUp?: string
  /** The finished attempts, in the order of their start. */
  readonly attempts: readonly Attempt[]
  readonly attemptsUnderWay: number
  /** The time of the next attempt, by the simulator's clock. */
  readonly nextAttemptAtMs?: number
}

export type AttemptTrigger = 'schedule' | 'replay' | 'duplicate' | 'forge'

/** One request and its answer. */
export interface Attempt {
  /** The number of the attempt, from 1. Attempts of all triggers share one count. */
  readonly number: number
  readonly trigger: AttemptTrigger
  /** The start, by the simulator's clock. */
  readonly startedAtMs: number
  /** The duration, in real time. */
  readonly durationMs: number
  readonly request: {
    readonly headers: Readonly<Record<string, string>>
    /** The sent part of the body. */
    readonly body: string
  }
  readonly response?: AttemptResponse
  /** The reason why no response arrived. */
  readonly error?: string
  readonly faults: readonly FaultName[]
}

export interface AttemptResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The first 64 kB of the body. */
  readonly body: string
}

/** Returns whether the status is 200 or 201. Scalekit counts only 200 and 201 as delivered. */
export function isDelivered({ response }: Pick<Attempt, 'response'>): boolean {
  return response?.status === 200 || response?.status === 201
}

export type DeliveryErrorReason = 'not-found' | 'invalid' | 'closed'

/** `deliveries` refused a call, for example because of an unknown endpoint, an unknown message or an invalid value. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  readonly reason: DeliveryErrorReason

  constructor(reason: DeliveryErrorReason, message: string) {
    super(message)
    this.reason = reason
  }
}
