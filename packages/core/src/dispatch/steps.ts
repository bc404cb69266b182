import { DropEvent } from '../base/errors.ts'
import type { HandlerContext, Step } from '../events/handlers.ts'
import type { DispatchOutcome } from '../events/outcome.ts'

/** What an event's handlers came to, before it is settled. */
export type HandlersEnded = DispatchOutcome & { outcome: 'processed' | 'dropped' | 'handler-failed' }

/** Runs what takes the event, one after the other, and never rejects: a handler may throw anything. */
export async function runSteps(steps: Step[], ctx: HandlerContext): Promise<HandlersEnded> {
  try {
    for (const step of steps) await endOf(await step(ctx))
    return { outcome: 'processed' }
  } catch (error) {
    return DropEvent.is(error)
      ? { outcome: 'dropped', reason: reasonOf(error), error }
      : { outcome: 'handler-failed', error }
  }
}

/** A list of promises is waited for too, all of it: what `groups.map(save)` gives is no more done than a promise. */
async function endOf(returned: unknown): Promise<void> {
  if (!Array.isArray(returned)) return
  const ended = await Promise.allSettled(returned)
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

function reasonOf(error: DropEvent): string {
  try {
    return String(error.message)
  } catch {
    return 'unreadable'
  }
}
