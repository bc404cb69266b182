import { type Exchange, outcomeHeader } from '../exchange.ts'
import { printable } from '../terminal.ts'
import type { Probe } from './probe.ts'

export type FindingState = 'ok' | 'wrong' | 'note' | 'skipped'

/** What a check has found: one sentence on what is, and one on how to fix it. */
export interface Finding {
  state: FindingState
  says: string
  hint?: string
}

export interface Check {
  /** Stable, for scripts. */
  name: string
  title: string
  run(probe: Probe): Promise<Finding>
}

export const ok = (says: string): Finding => ({ state: 'ok', says })
export const note = (says: string, hint: string): Finding => ({ state: 'note', says, hint })
export const wrong = (says: string, hint: string): Finding => ({ state: 'wrong', says, hint })
export const skipped = (says: string): Finding => ({ state: 'skipped', says })

/** One of the forms of a probe, and what came of it. */
export interface Tried {
  what: string
  outcome: Exchange
}

/** Any 2xx: whether it is one that Scalekit counts is a check of its own. */
export function isTaken(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status >= 200 && outcome.status < 300
}

export function isServerError(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status >= 500
}

export function isRefused(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status >= 400
}

/** It was not looked at: neither taken nor refused. */
export function isLimited(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && outcome.status === 429
}

export const rateLimited = wrong(
  'A rate limit answers in its place (429), and Scalekit counts that as a failure; what the endpoint would say is not known.',
  'Leave this path out of rate limits: a directory that is imported sends thousands, and the signature tells who sends.',
)

/** `400`, `201 duplicate`, or why there is no answer. */
export function shown(outcome: Exchange): string {
  if (outcome.kind === 'no-answer') return `no answer (${outcome.detail})`
  const header = outcomeHeader(outcome)
  return header === undefined ? String(outcome.status) : `${outcome.status} ${printable(header)}`
}

/** The different outcomes, each once. */
export function shownAll(tries: readonly Tried[]): string {
  return [...new Set(tries.map(({ outcome }) => shown(outcome)))].join(', ')
}

export function listed(tries: readonly Tried[]): string {
  return tries.map(({ what, outcome }) => `${what} (${shown(outcome)})`).join('; ')
}

/** For deliveries that must not be let in. */
export function mustRefuse(tries: readonly Tried[], hint: string): Finding {
  const letIn = tries.filter(({ outcome }) => isTaken(outcome))
  if (letIn.length > 0)
    return wrong(`It accepts what nobody with the secret has sent: ${listed(letIn)}.`, hint)
  const unanswered = tries.filter(({ outcome }) => outcome.kind === 'no-answer')
  if (unanswered.length > 0) {
    return wrong(
      `It does not answer: ${listed(unanswered)}.`,
      'Catch what the verifier throws, also in async handlers, and answer 400.',
    )
  }
  const failing = tries.filter(({ outcome }) => isServerError(outcome))
  if (failing.length > 0) {
    return note(
      `It refuses them by failing: ${listed(failing)}.`,
      'Catch what the verifier throws and answer 400: a 5xx wakes whoever is on call.',
    )
  }
  return ok(`refused with ${shownAll(tries)}`)
}

/** No answer is not a refusal: the endpoint has crashed, or hangs. `undefined` if all are answered. */
export function unanswered(tries: readonly Tried[]): Finding | undefined {
  const silent = tries.filter(({ outcome }) => outcome.kind === 'no-answer')
  if (silent.length === 0) return undefined
  return wrong(
    `It does not answer: ${[...new Set(silent.map((one) => listed([one])))].join('; ')}.`,
    'See its log for why it crashed or hangs. Nothing that comes from outside may end the process.',
  )
}

/** For deliveries that are as Scalekit could send them. */
export function mustTake(tries: readonly Tried[], hint: string): Finding {
  const silence = unanswered(tries)
  if (silence) return silence
  const refused = tries.filter(({ outcome }) => !isTaken(outcome))
  if (refused.length > 0) return wrong(`It refuses valid deliveries: ${listed(refused)}.`, hint)
  return ok(`accepted with ${shownAll(tries)}`)
}

/** What a check has found, unless the endpoint does not survive it. */
export async function withAliveness(probe: Probe, finding: Finding): Promise<Finding> {
  const after = await probe.deliver()
  if (isTaken(after) || isLimited(after) || !(probe.isAccepted || probe.isGone)) return finding
  return wrong(
    `After it the endpoint does not accept a valid delivery any more: ${shown(after)}.`,
    'Nothing that comes from outside may end the process: catch what parsing and verifying throw, and see the log for what did.',
  )
}
