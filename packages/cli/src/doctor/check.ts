import type { Request } from '../exchange.ts'
import { type Finding, mustAccept, mustRefuse, wrong } from './finding.ts'
import { isAccepted, isLimited, shown, type Tried } from './outcomes.ts'
import type { Probe } from './probe.ts'

export interface Check {
  /** This name does not change between versions, so that scripts can use it. */
  name: string
  title: string
  run(probe: Probe): Promise<Finding>
}

type RequestsOf = (probe: Probe) => Readonly<Record<string, Request>>

/** Returns a check that sends forged or old deliveries, and expects that the endpoint refuses them. */
export function refuses(name: string, title: string, hint: string, requestsOf: RequestsOf): Check {
  return { name, title, run: async (probe) => mustRefuse(await tryAll(probe, requestsOf), hint) }
}

/** Returns a check that sends deliveries that Scalekit could send, and expects that the endpoint accepts them. */
export function accepts(name: string, title: string, hint: string, requestsOf: RequestsOf): Check {
  return { name, title, run: async (probe) => mustAccept(await tryAll(probe, requestsOf), hint) }
}

export async function tryAll(probe: Probe, requestsOf: RequestsOf): Promise<Tried[]> {
  const tries: Tried[] = []
  for (const [what, request] of Object.entries(requestsOf(probe))) {
    tries.push({ what, outcome: await probe.post(request) })
  }
  return tries
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
