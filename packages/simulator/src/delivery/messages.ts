import type { ScimEvent } from '@scalekit-scim/core'
import type { FaultName } from './faults.ts'

// These objects change while a message is pending. Copy one to keep its state.

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
  /** `failed`: given up, after or before the last attempt. `dropped`: never sent, because of a fault. */
  readonly state: 'pending' | 'delivered' | 'failed' | 'dropped'
  /** Why the delivery was given up before the last attempt. */
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
  /** Counted from 1, across all triggers. */
  readonly number: number
  readonly trigger: AttemptTrigger
  /** In the time of the simulator's clock. */
  readonly startedAtMs: number
  /** In real time. */
  readonly durationMs: number
  readonly request: {
    readonly headers: Readonly<Record<string, string>>
    /** The part of the body that was sent. */
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
  /** The body, or its first 64 kB if it is longer. */
  readonly body: string
}

/** Scalekit counts only 200 and 201 as delivered. */
export function isDelivered({ response }: Pick<Attempt, 'response'>): boolean {
  return response?.status === 200 || response?.status === 201
}

export type DeliveryErrorReason = 'not-found' | 'invalid' | 'closed'

/** `deliveries` refused a call, for example because of an unknown endpoint or message, or an invalid value. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  readonly reason: DeliveryErrorReason

  constructor(reason: DeliveryErrorReason, message: string) {
    super(message)
    this.reason = reason
  }
}
