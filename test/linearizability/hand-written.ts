import type { BeginAnswer } from '@scalekit-scim/core/adapter'
import type {
  BeginOperation,
  CommitOperation,
  Operation,
  ReleaseOperation,
  RenewOperation,
} from './operations.ts'

// Short histories for tests. Each operation takes 10 ms, and the next one starts after a pause of 10 ms.

type Untimed =
  | Omit<BeginOperation, 'by' | 'calledMs'>
  | Omit<RenewOperation, 'by' | 'calledMs'>
  | Omit<CommitOperation, 'by' | 'calledMs'>
  | Omit<ReleaseOperation, 'by' | 'calledMs'>

/** An operation, and its times if they are not the usual ones. */
export type Written = { untimed: Untimed; calledMs?: number; returnedMs?: number; isAnswered: boolean }

export const leaseSeconds = 1
const usualTime = '5'
const event = { occurredAt: usualTime, deletion: false }
type Event = Partial<typeof event>

/** @param answer a fence for 'begun', another state, or `undefined` for no answer */
export function begin(
  messageId: string,
  token: string,
  answer?: number | 'duplicate' | 'in-flight' | 'busy' | 'stale',
  own: Event = {},
): Written {
  const { occurredAt, deletion } = { ...event, ...own }
  const request = { messageId, token, resource: 'r', leaseSeconds, occurredAt, deletion }
  if (answer === undefined) return { untimed: { verb: 'begin', request }, isAnswered: false }
  const begun: BeginAnswer =
    typeof answer === 'number' ? { state: 'begun', fence: answer, occurredAt } : { state: answer }
  return { untimed: { verb: 'begin', request, answer: begun }, isAnswered: true }
}

export function renew(messageId: string, token: string, fence: number, answer?: boolean): Written {
  const renewal = { verb: 'renew', claim: claim(messageId, token, fence), leaseSeconds } as const
  if (answer === undefined) return { untimed: renewal, isAnswered: false }
  return { untimed: { ...renewal, answer }, isAnswered: true }
}

export function commit(
  messageId: string,
  token: string,
  fence: number,
  answer?: 'ok' | 'lost',
  own: Event = {},
): Written {
  const committal = { verb: 'commit', claim: claim(messageId, token, fence, own) } as const
  if (answer === undefined) return { untimed: committal, isAnswered: false }
  return { untimed: { ...committal, answer }, isAnswered: true }
}

export function release(token: string): Written {
  return { untimed: { verb: 'release', token }, isAnswered: true }
}

export function at(calledMs: number, returnedMs: number, written: Written): Written {
  return { ...written, calledMs, returnedMs }
}

export function history(...operations: readonly Written[]): Operation[] {
  let nextMs = 0
  return operations.map(({ untimed, isAnswered, ...own }, index) => {
    const { calledMs = nextMs, returnedMs = calledMs + 10 } = own
    nextMs = returnedMs + 10
    const by = `P${index}`
    return isAnswered ? { ...untimed, by, calledMs, returnedMs } : { ...untimed, by, calledMs }
  })
}

function claim(messageId: string, token: string, fence: number, own: Event = {}) {
  return { messageId, token, resource: 'r', fence, ...event, ...own }
}
