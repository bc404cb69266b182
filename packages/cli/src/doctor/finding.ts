import type { Exchange } from '../exchange.ts'
import { isAccepted, isServerError, listed, shownAll, type Tried } from './outcomes.ts'

export type FindingState = 'ok' | 'wrong' | 'note' | 'skipped'

/** The result of a check. `detail` describes the result, and `hint` describes the fix. */
export interface Finding {
  state: FindingState
  detail: string
  hint?: string
}

export const ok = (detail: string): Finding => ({ state: 'ok', detail })
export const note = (detail: string, hint: string): Finding => ({ state: 'note', detail, hint })
export const wrong = (detail: string, hint: string): Finding => ({ state: 'wrong', detail, hint })
export const skipped = (detail: string): Finding => ({ state: 'skipped', detail })

export const acceptedWith = (tries: readonly Tried[]) => ok(`accepted with ${shownAll(outcomesOf(tries))}`)

export const rateLimited = wrong(
  'A rate limit answers with 429, which Scalekit counts as a failure. It hides the answer of the endpoint.',
  'Exclude this path from rate limits. The import of a directory sends thousands of events, and the signature identifies the sender.',
)

/** Expects that no delivery is accepted. */
export function mustRefuse(tries: readonly Tried[], hint: string): Finding {
  const accepted = tries.filter(({ outcome }) => isAccepted(outcome))
  if (accepted.length > 0)
    return wrong(`It accepts deliveries that it must refuse: ${listed(accepted)}.`, hint)
  const silent = withoutAnswer(tries)
  if (silent.length > 0) {
    return wrong(
      `It does not answer: ${listed(silent)}.`,
      'Catch errors of the verifier, including those in async handlers, and answer 400.',
    )
  }
  const failing = tries.filter(({ outcome }) => isServerError(outcome))
  if (failing.length > 0) {
    return note(
      `It refuses them with a server error: ${listed(failing)}.`,
      'Catch errors of the verifier and answer 400. A 5xx alerts the engineer on call.',
    )
  }
  return ok(`refused with ${shownAll(outcomesOf(tries))}`)
}

/** Expects that each delivery is accepted, because Scalekit could send it. */
export function mustAccept(tries: readonly Tried[], hint: string): Finding {
  const silence = unanswered(tries)
  if (silence) return silence
  const refused = tries.filter(({ outcome }) => !isAccepted(outcome))
  if (refused.length > 0) return wrong(`It refuses valid deliveries: ${listed(refused)}.`, hint)
  return acceptedWith(tries)
}

/**
 * Returns a finding if a delivery got no answer, because then the endpoint has crashed or hangs. Otherwise returns
 * `undefined`.
 */
export function unanswered(tries: readonly Tried[]): Finding | undefined {
  const silent = withoutAnswer(tries)
  if (silent.length === 0) return undefined
  return wrong(
    `It does not answer: ${listed(silent)}.`,
    "Find the crash or the hang in the application's log. A request must never end the process.",
  )
}

export function withoutAnswer(tries: readonly Tried[]): Tried[] {
  return tries.filter(({ outcome }) => outcome.kind === 'no-answer')
}

function outcomesOf(tries: readonly Tried[]): Exchange[] {
  return tries.map(({ outcome }) => outcome)
}
