import { type Exchange, type Request, shownAnswer } from '../exchange.ts'
import type { Outcomes, Probe } from './probe.ts'

export interface Check {
  /** The name of the check, which does not change between versions, so that scripts can use it. */
  name: string
  title: string
  run(probe: Probe): Finding | Promise<Finding>
}

/** The result of a check. `detail` describes the result. `hint` describes the fix. */
export interface Finding {
  state: 'ok' | 'wrong' | 'note' | 'skipped'
  detail: string
  hint?: string
}

export const ok = (detail: string): Finding => ({ state: 'ok', detail })
export const note = (detail: string, hint: string): Finding => ({ state: 'note', detail, hint })
export const wrong = (detail: string, hint: string): Finding => ({ state: 'wrong', detail, hint })
export const skipped = (detail: string): Finding => ({ state: 'skipped', detail })

/** The finding for a mistake. {@link judge} adds the outcomes to `detail`. */
export interface Mistake extends Finding {
  isShownBy(outcome: Exchange): boolean
}

/** Returns the finding for an endpoint that has crashed or hangs. */
export const noAnswer = (
  hint = "Find the crash or the hang in the application's log. A request must never end the process.",
  detail = 'The endpoint does not answer',
): Mistake => ({ ...wrong(detail, hint), isShownBy: ({ kind }) => kind === 'no-answer' })

export const refusal = (hint: string, detail = 'The endpoint refuses valid deliveries'): Mistake => ({
  ...wrong(detail, hint),
  isShownBy: (outcome) => !isAccepted(outcome),
})

export const serverError = (hint: string, detail: string): Mistake => ({
  ...note(detail, hint),
  isShownBy: isServerError,
})

/** Returns the first mistake that an outcome shows. Without a mistake, returns `good` and all outcomes. */
export function judge(outcomes: Outcomes, mistakes: readonly Mistake[], good = 'accepted with'): Finding {
  for (const { isShownBy, ...finding } of mistakes) {
    const bad = Object.entries(outcomes).filter(([, outcome]) => isShownBy(outcome))
    const listed = bad.map(([what, outcome]) => `${what} (${shown(outcome)})`).join('; ')
    if (bad.length > 0) return { ...finding, detail: `${finding.detail}: ${listed}.` }
  }
  return ok(`${good} ${shownAll(Object.values(outcomes))}`)
}

/** Judges the outcomes of deliveries that the endpoint must accept. */
export function judgeAccepted(outcomes: Outcomes, hint: string, detail?: string): Finding {
  return judge(outcomes, [noAnswer(), refusal(hint, detail)])
}

export function check(name: string, title: string, run: Check['run']): Check {
  return { name, title, run }
}

type RequestsOf = (probe: Probe) => Readonly<Record<string, Request>>

/** Returns a check of deliveries that Scalekit can send. The endpoint must accept the deliveries. */
export function accepts(name: string, title: string, hint: string, requestsOf: RequestsOf): Check {
  return check(name, title, async (probe) => judgeAccepted(await probe.postAll(requestsOf(probe)), hint))
}

/** Returns a check of forged or old deliveries. The endpoint must refuse the deliveries. */
export function refuses(name: string, title: string, hint: string, requestsOf: RequestsOf): Check {
  const mistakes = [
    { ...wrong('The endpoint accepts deliveries that it must refuse', hint), isShownBy: isAccepted },
    noAnswer('Catch errors of the verifier, including those in async handlers, and answer 400.'),
    serverError(
      'Catch errors of the verifier and answer 400. A 5xx alerts the engineer on call.',
      'The endpoint answers with a server error',
    ),
  ]
  return check(name, title, async (probe) =>
    judge(await probe.postAll(requestsOf(probe)), mistakes, 'refused with'),
  )
}

/**
 * Returns a check that runs `check`. If the endpoint refuses valid deliveries after `check`, the new check also fails.
 */
export function survivable(check: Check): Check {
  return {
    ...check,
    run: async (probe) => {
      const finding = await check.run(probe)
      const after = await probe.deliver()
      const isAlive = isAccepted(after) || after.status === 429
      if (isAlive || !(probe.acceptsValid || probe.isGone)) return finding
      return wrong(
        `After this check, the endpoint does not accept valid deliveries: ${shown(after)}.`,
        "Catch errors of parsing and verifying, and find the crash in the application's log. A request must never end the process.",
      )
    },
  }
}

/** Returns whether the status is a 2xx. Scalekit counts only 200 and 201. The check `status` reports any other 2xx. */
export function isAccepted({ status = 0 }: Exchange): boolean {
  return status >= 200 && status < 300
}

export function isServerError({ status = 0 }: Exchange): boolean {
  return status >= 500
}

export function isSameAnswer(one: Exchange, other: Exchange): boolean {
  return one.kind === 'answer' && one.status === other.status && one.body === other.body
}

/** Formats an outcome: `400`, `201 duplicate`, or the reason why there is no answer. */
export function shown(outcome: Exchange): string {
  return outcome.kind === 'answer' ? shownAnswer(outcome) : `no answer (${outcome.detail})`
}

/** Formats a list of outcomes. Lists equal outcomes once. */
export function shownAll(outcomes: readonly Exchange[]): string {
  return [...new Set(outcomes.map(shown))].join(', ')
}
