import { type Exchange, outcomeHeader } from '../exchange.ts'
import { printable } from '../terminal.ts'

/** One variant of a delivery, and its outcome. */
export interface Tried {
  what: string
  outcome: Exchange
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

/** Formats a list of variants with their outcomes. Equal entries are listed once. */
export function listed(tries: readonly Tried[]): string {
  return [...new Set(tries.map(({ what, outcome }) => `${what} (${shown(outcome)})`))].join('; ')
}
