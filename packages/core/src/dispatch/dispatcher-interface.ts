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
   * The store's time (`ledger.now()`) before you read the event's data. If another event was applied to the resource
   * after this time, your event is stale.
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
 * Runs events: claims each event, calls its handlers, and then commits or releases the claim. Webhooks and the sync
 * share one dispatcher.
 */
export interface Dispatcher extends AsyncDisposable {
  /**
   * The store's guarantees. `message`: each message runs once. `order`: events of a resource run one at a time. An
   * older event never replaces a newer event.
   */
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  /** 'resource': events of one resource wait for each other. Older events are superseded. */
  readonly ordering: 'resource' | 'none'
  readonly ledger: Ledger
  /**
   * Runs your own event through the handlers. The rules for duplicates, order and newer events are the same as for a
   * webhook. A handler must not await a dispatch for its own resource: the handler would wait for itself until
   * `handlerTimeoutSeconds` have passed.
   * @throws TypeError if the event is unusable: a directory event without `data.id`, organization or time
   */
  dispatch(event: ScimEvent, options?: DispatchOptions): Promise<DispatchOutcome>
  /**
   * Removes a done message from the store. If the message is then replayed, its handlers run again. Returns whether the
   * store contained the message. If the message's handler is still running, the next renewal of the lease claims the
   * message again.
   * @throws TypeError if the key is not a non-empty string
   * @throws StoreUnavailableError if the store fails
   */
  forget(idempotencyKey: string): Promise<boolean>
  /**
   * Removes a resource's watermark from the store, so that an older event can be applied. Returns whether the store
   * contained the resource.
   * @throws TypeError if the argument is not a resource
   * @throws StoreUnavailableError if the store fails
   */
  forgetResource(resource: Resource): Promise<boolean>
  /**
   * Answers new events with 503, and waits for running handlers. After the grace period, aborts their signals. A second
   * call returns the same promise. Does not close the store, because you own it.
   */
  close(options?: CloseOptions): Promise<void>
}
