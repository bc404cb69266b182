import type { DispatchOutcome } from '../events/outcome.ts'

/**
 * Returns the outcome for a copy of a message whose run has ended. Returns `undefined` if the run never began its
 * handlers.
 */
export function outcomeOfCopy({ outcome }: DispatchOutcome): DispatchOutcome | undefined {
  switch (outcome) {
    case 'processed':
    case 'dropped':
    case 'duplicate':
      return { outcome: 'duplicate' }
    case 'stale':
    case 'lost':
    case 'store-unavailable':
      return { outcome }
    case 'handler-failed':
      return { outcome, reason: 'another attempt at the message failed' }
    default:
      return undefined
  }
}
