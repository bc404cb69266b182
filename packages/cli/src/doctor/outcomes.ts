import { type Exchange, outcomeHeader } from '../exchange.ts'
import { printable } from '../terminal.ts'

/** One variant of a delivery, and its outcome. */
export interface Tried {
  what: string
  outcome: Exchange
}

/** Any 2xx. The check `status` reports the ones that Scalekit does not count. */
export function isAccepted(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status >= 200 && outcome.status < 300
}

export function isRefused(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status >= 400
}

export function isServerError(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status >= 500
}

/** A rate limit answered, so the endpoint itself neither accepted nor refused. */
export function isLimited(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status === 429
}

/** `400`, `201 duplicate`, or the reason for a missing answer. */
export function shown(outcome: Exchange): string {
  if (outcome.kind === 'no-answer') return `no answer (${outcome.detail})`
  const header = outcomeHeader(outcome)
  return header === undefined ? String(outcome.status) : `${outcome.status} ${printable(header)}`
}

/** Each different outcome once. */
export function shownAll(outcomes: readonly Exchange[]): string {
  return [...new Set(outcomes.map(shown))].join(', ')
}

/** The variants with their outcomes. Equal ones are listed once. */
export function listed(tries: readonly Tried[]): string {
  return [...new Set(tries.map(({ what, outcome }) => `${what} (${shown(outcome)})`))].join('; ')
}
