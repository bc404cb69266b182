import type { BeginAnswer, BeginRequest, Claim } from '@scalekit-scim/core/adapter'

// A history is a list of operations on one resource. Times are milliseconds of one clock for all processes.
//
//     P1.0  ├─ begin m1 t1 ─┤ begun 17              ├─ commit t1 ─┤ ok
//     P2.0         ├─ begin m1 t2 ─┤ in-flight            ├─ begin m1 t3 ┈┈┈┈┈┈┈┈ no answer
//
// An operation takes effect at one moment between its call and its return. An operation without a return had no answer.
// It may take effect at any moment after its call, or never.

interface Timed {
  /** The process and the number of its caller. */
  by: string
  calledMs: number
  /** Missing if the call had no answer. */
  returnedMs?: number
}

export interface BeginOperation extends Timed {
  verb: 'begin'
  request: BeginRequest
  answer?: BeginAnswer
}

export interface RenewOperation extends Timed {
  verb: 'renew'
  claim: Claim
  leaseSeconds: number
  answer?: boolean
}

export interface CommitOperation extends Timed {
  verb: 'commit'
  claim: Claim
  answer?: 'ok' | 'lost'
}

export interface ReleaseOperation extends Timed {
  verb: 'release'
  token: string
}

export type Operation = BeginOperation | RenewOperation | CommitOperation | ReleaseOperation

export function isAnswered({ returnedMs }: Operation): boolean {
  return returnedMs !== undefined
}

export function tokenOf(operation: Operation): string {
  switch (operation.verb) {
    case 'begin':
      return operation.request.token
    case 'release':
      return operation.token
    default:
      return operation.claim.token
  }
}

/** Describes an operation on one line. Times count from `originMs`. */
export function lineOf(operation: Operation, originMs: number): string {
  const { by, calledMs, returnedMs } = operation
  const shown = (ms: number) => (ms - originMs).toFixed(1).padStart(8)
  const until = returnedMs === undefined ? '       …' : shown(returnedMs)
  return `${shown(calledMs)} –${until} ms  ${by.padEnd(5)} ${textOf(operation)}`
}

function textOf(operation: Operation): string {
  switch (operation.verb) {
    case 'begin': {
      const { token, messageId, occurredAt, deletion, leaseSeconds } = operation.request
      const event = `${messageId} ${token} at ${occurredAt}${deletion ? ' deletion' : ''}`
      return `begin ${event}, lease ${leaseSeconds} s → ${beginText(operation.answer)}`
    }
    case 'renew':
      return `renew ${claimText(operation.claim)}, lease ${operation.leaseSeconds} s → ${operation.answer ?? 'no answer'}`
    case 'commit':
      return `commit ${claimText(operation.claim)} → ${operation.answer ?? 'no answer'}`
    case 'release':
      return `release ${operation.token}${operation.returnedMs === undefined ? ' → no answer' : ''}`
  }
}

function beginText(answer: BeginAnswer | undefined): string {
  if (answer === undefined) return 'no answer'
  return answer.state === 'begun' ? `begun, fence ${answer.fence}` : answer.state
}

function claimText({ messageId, token, fence, occurredAt, deletion }: Claim): string {
  return `${messageId} ${token} fence ${fence} at ${occurredAt}${deletion ? ' deletion' : ''}`
}
