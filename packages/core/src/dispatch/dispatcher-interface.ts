import type { Instant } from '../base/instant.ts'
import type { Resource, ScimEvent } from '../events/events.ts'
import type { EventSource } from '../events/handlers.ts'
import type { DispatchOutcome } from '../events/outcome.ts'
import type { Guarantee, Ledger } from '../ledger/ledger.ts'

export interface DispatchOptions {
  /** @default 'manual' */
  source?: EventSource
  /** A second dispatch with the same key is a duplicate. @default a new key, so that each call runs */
  idempotencyKey?: string
  /**
   * The store's time (`ledger.now()`) before you read the event's data. If an event was applied to the resource since
   * then, this event is stale.
   */
  observedAt?: Instant
  /** The event's directory, for `ctx.directoryId`. @default the directory that the event names */
  directoryId?: string
}

export interface CloseOptions {
  /** How long `close()` waits before it aborts the signals of running handlers, in seconds. @default 10 */
  graceSeconds?: number
}

/**
 * Runs events: begins each event, calls its handlers, then commits or releases it. Webhooks and the sync share one
 * dispatcher.
 */
export interface Dispatcher extends AsyncDisposable {
  /**
   * The store's guarantees. `message`: a message runs once. `order`: events of a resource run one at a time, and the
   * newest wins.
   */
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  /** 'resource': events of one resource wait for each other, and older events are superseded. */
  readonly ordering: 'resource' | 'none'
  readonly ledger: Ledger
  /**
   * Runs an event of your own through the handlers. The rules for duplicates, order and newer events are the same as
   * for a webhook. A handler must not await a dispatch for its own resource: the handler would wait for itself until
   * `handlerTimeoutSeconds`.
   * @throws TypeError if the event is unusable: a directory event without `data.id`, organization or time
   */
  dispatch(event: ScimEvent, options?: DispatchOptions): Promise<DispatchOutcome>
  /**
   * Forgets a done message, so that the handlers run again if the message is replayed. Returns whether the message was
   * known. If the message's handler is still running, the next renewal of the lease claims the message again.
   * @throws TypeError if the key is not a non-empty string
   * @throws StoreUnavailableError if the store fails
   */
  forget(idempotencyKey: string): Promise<boolean>
  /**
   * Forgets a resource's watermark, so that an older event can be applied. Returns whether the resource was known.
   * @throws TypeError if the argument is not a resource
   * @throws StoreUnavailableError if the store fails
   */
  forgetResource(resource: Resource): Promise<boolean>
  /**
   * Answers new events with 503, and waits for running handlers. After the grace period, aborts their signals. A second
   * call returns the same promise. The store stays open, because you own it.
   */
  close(options?: CloseOptions): Promise<void>
}
