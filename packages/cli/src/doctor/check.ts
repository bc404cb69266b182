import type { Exchange, Request } from '../exchange.ts'
import {
  type Finding,
  isAccepted,
  isLimited,
  judge,
  type Mistake,
  noAnswer,
  type Outcomes,
  refusal,
  serverError,
  shown,
  wrong,
} from './finding.ts'
import type { Probe } from './probe.ts'

export interface Check {
  /** This name does not change between versions, so that scripts can use it. */
  name: string
  title: string
  run(probe: Probe): Promise<Finding>
}

type RequestsOf = (probe: Probe) => Readonly<Record<string, Request>>

export function check(name: string, title: string, run: Check['run']): Check {
  return { name, title, run }
}

/** Returns a check that sends requests, and judges their outcomes. */
export function sends(
  name: string,
  title: string,
  requestsOf: RequestsOf,
  mistakes: readonly Mistake[],
  good?: string,
): Check {
  return check(name, title, async (probe) => judge(await tryAll(probe, requestsOf(probe)), mistakes, good))
}

/** Returns a check that sends deliveries that Scalekit could send, and expects that the endpoint accepts them. */
export function accepts(name: string, title: string, hint: string, requestsOf: RequestsOf): Check {
  return sends(name, title, requestsOf, [noAnswer(), refusal(hint)])
}

/** Returns a check that sends forged or old deliveries, and expects that the endpoint refuses them. */
export function refuses(name: string, title: string, hint: string, requestsOf: RequestsOf): Check {
  const mistakes: Mistake[] = [
    { state: 'wrong', isShownBy: isAccepted, detail: 'It accepts deliveries that it must refuse', hint },
    noAnswer('Catch errors of the verifier, including those in async handlers, and answer 400.'),
    serverError(
      'Catch errors of the verifier and answer 400. A 5xx alerts the engineer on call.',
      'It refuses them with a server error',
    ),
  ]
  return sends(name, title, requestsOf, mistakes, 'refused with')
}

export async function tryAll(probe: Probe, requests: ReturnType<RequestsOf>): Promise<Outcomes> {
  const outcomes: Record<string, Exchange> = {}
  for (const [what, request] of Object.entries(requests)) {
    outcomes[what] = await probe.post(request)
  }
  return outcomes
}

/** Returns a check that runs `check`, and then also fails if the endpoint no longer accepts valid deliveries. */
export function survivable(check: Check): Check {
  return {
    ...check,
    run: async (probe) => {
      const finding = await check.run(probe)
      const after = await probe.deliver()
      const isAlive = isAccepted(after) || isLimited(after)
      if (isAlive || !(probe.acceptsValid || probe.isGone)) return finding
      return wrong(
        `After this check, it does not accept valid deliveries: ${shown(after)}.`,
        "Catch errors of parsing and verifying, and find the crash in the application's log. A request must never end the process.",
      )
    },
  }
}
