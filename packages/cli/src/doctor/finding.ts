import { type Exchange, outcomeHeader } from '../exchange.ts'
import { printable } from '../terminal.ts'

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

export const rateLimited = wrong(
  'A rate limit answers with 429, which Scalekit counts as a failure. It hides the answer of the endpoint.',
  'Exclude this path from rate limits. The import of a directory sends thousands of events, and the signature identifies the sender.',
)

/** The outcomes of some deliveries, each with its description. */
export type Outcomes = Readonly<Record<string, Exchange>>

/** A mistake of the endpoint. The outcomes that show the mistake are listed after `detail`. */
export interface Mistake {
  state: 'wrong' | 'note'
  isShownBy(outcome: Exchange): boolean
  detail: string
  hint: string
}

/**
 * Reports the first of the mistakes that an outcome shows. Otherwise, reports all outcomes after the words of `good`.
 */
export function judge(outcomes: Outcomes, mistakes: readonly Mistake[], good = 'accepted with'): Finding {
  for (const { state, isShownBy, detail, hint } of mistakes) {
    const bad = Object.entries(outcomes).filter(([, outcome]) => isShownBy(outcome))
    const listed = bad.map(([what, outcome]) => `${what} (${shown(outcome)})`).join('; ')
    if (bad.length > 0) return { state, detail: `${detail}: ${listed}.`, hint }
  }
  return ok(`${good} ${shownAll(Object.values(outcomes))}`)
}

/** The endpoint has crashed or hangs. */
export function noAnswer(
  hint = "Find the crash or the hang in the application's log. A request must never end the process.",
  detail = 'It does not answer',
): Mistake {
  return { state: 'wrong', isShownBy: ({ kind }) => kind === 'no-answer', detail, hint }
}

export function refusal(hint: string, detail = 'It refuses valid deliveries'): Mistake {
  return { state: 'wrong', isShownBy: (outcome) => !isAccepted(outcome), detail, hint }
}

export function serverError(hint: string, detail: string): Mistake {
  return { state: 'note', isShownBy: isServerError, detail, hint }
}

/** Accepts any 2xx. Scalekit counts only 200 and 201, and the check `status` reports any other 2xx. */
export function isAccepted(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status >= 200 && outcome.status < 300
}

export function isRefused(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status >= 400
}

export function isServerError(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status >= 500
}

/** Returns whether a rate limit answered. If so, the endpoint itself neither accepted nor refused the delivery. */
export function isLimited(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status === 429
}

export function isSameAnswer(one: Exchange, other: Exchange): boolean {
  return (
    one.kind === 'answer' && other.kind === 'answer' && one.status === other.status && one.body === other.body
  )
}

/** Formats an outcome: `400`, `201 duplicate`, or the reason why there is no answer. */
export function shown(outcome: Exchange): string {
  if (outcome.kind === 'no-answer') return `no answer (${outcome.detail})`
  const header = outcomeHeader(outcome)
  return header === undefined ? String(outcome.status) : `${outcome.status} ${printable(header)}`
}

/** Formats a list of outcomes. Equal outcomes are listed once. */
export function shownAll(outcomes: readonly Exchange[]): string {
  return [...new Set(outcomes.map(shown))].join(', ')
}
