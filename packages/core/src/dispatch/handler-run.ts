import { DropEvent } from '../base/errors.ts'
import { formatInstant } from '../base/instant.ts'
import { readSafely } from '../base/read-safely.ts'
import type { HandlerContext } from '../events/handlers.ts'
import type { DispatchOutcome } from '../events/outcome.ts'
import { directoryIdOf } from '../events/resource.ts'
import type { RoutedHandler } from '../events/router.ts'
import type { Claim } from '../ledger/ledger.ts'
import type { Delivery } from './delivery.ts'

/** The outcome of an event's handlers, before the claim is committed or released. */
export type HandlerResult = DispatchOutcome & { outcome: 'processed' | 'dropped' | 'handler-failed' }

/** Runs the handlers of an event one after the other. Never rejects. */
export async function runHandlers(handlers: RoutedHandler[], ctx: HandlerContext): Promise<HandlerResult> {
  try {
    for (const handler of handlers) await settleList(await handler(ctx))
    return { outcome: 'processed' }
  } catch (error) {
    return DropEvent.is(error)
      ? { outcome: 'dropped', reason: readSafely(() => String(error.message)) ?? 'unreadable', error }
      : { outcome: 'handler-failed', error }
  }
}

export function handlerContext(
  { event, source, idempotencyKey, directoryId = directoryIdOf(event), log }: Delivery,
  { occurredAt }: Claim,
  deadline: Date,
  signal: AbortSignal,
): HandlerContext {
  return {
    source,
    ...(directoryId === undefined ? {} : { directoryId }),
    idempotencyKey,
    occurredAt: formatInstant(occurredAt),
    deadline,
    signal,
    log,
  }
}

/**
 * Waits for each promise of a returned list, such as `groups.map(save)`. If one rejects, throws its reason after all
 * have settled.
 */
async function settleList(returned: unknown): Promise<void> {
  if (!Array.isArray(returned)) return
  const results = await Promise.allSettled(returned)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
