import type {
  BeginOperation,
  CommitOperation,
  Operation,
  ReleaseOperation,
  RenewOperation,
} from './operations.ts'

// The contract of a ledger for one resource and its messages, as a sequential specification. It is written from the
// comments in ledger.ts, and shares no code with the drivers.
//
// The specification does not use the store's clock. It uses only the times of the call and of the return, and the
// operation took effect between them. So a lease has a period in which it may have lapsed or not. In that period, both
// answers are right:
//
//     begin   called ├──────┤ returned
//     lease          ├═══════════ holds ══════════┤┈┈ either ┈┈├ lapsed
//                    called              called + lease     returned + lease

/** When the newest `begin` or `renew` of a turn took effect, and the length of its lease. */
interface Lease {
  earliestMs: number
  latestMs: number
  lengthMs: number
}

/** The claim of a message, which is also the turn of its resource. It stays after its lease until it is replaced. */
interface Turn {
  token: string
  messageId: string
  lease: Lease
}

export interface State {
  /** The newest fence that a caller has received. */
  fence: number
  /** Whether a `begin` without an answer has taken a newer fence since. */
  hasHiddenFence: boolean
  turn: Turn | undefined
  /** The time of the last committed event; empty before the first commit. */
  watermark: string
  hasTombstone: boolean
  /** The tokens of the done messages. */
  done: ReadonlyMap<string, string>
}

export const initialState: State = {
  fence: 0,
  hasHiddenFence: false,
  turn: undefined,
  watermark: '',
  hasTombstone: false,
  done: new Map(),
}

/** Stores count in milliseconds, and their clocks may be adjusted slightly. */
const clockToleranceMs = 5

/**
 * Returns each state to which the operation may lead with its answer. Returns the same object if the operation changes
 * nothing. Returns nothing if the contract forbids the answer. An operation without an answer may have any answer.
 */
export function statesAfter(state: State, operation: Operation): State[] {
  const states = statesOf(state, operation)
  const { returnedMs } = operation
  return returnedMs === undefined ? states : states.map((next) => tookEffectBy(next, returnedMs))
}

/** Whether the answer shows that the operation changes nothing. */
export function isRefusal(operation: Operation): boolean {
  switch (operation.verb) {
    case 'begin':
      return operation.answer !== undefined && operation.answer.state !== 'begun'
    case 'renew':
      return operation.answer === false
    case 'commit':
      return operation.answer === 'lost'
    case 'release':
      return false
  }
}

/**
 * Whether a call without an answer can no longer change anything, in this state or in a later one. Fences and watermarks
 * only increase, and a done message stays done. The token of a release is in no turn, and the caller ensures that no
 * `begin` with this token follows.
 */
export function isTooLate(state: State, operation: Operation): boolean {
  switch (operation.verb) {
    case 'begin':
      return (
        state.done.has(operation.request.messageId) || (operation.request.occurredAt ?? '') < state.watermark
      )
    case 'release':
      return state.turn?.token !== operation.token
    default:
      return state.fence > operation.claim.fence
  }
}

function statesOf(state: State, operation: Operation): State[] {
  switch (operation.verb) {
    case 'begin':
      return begin(state, operation)
    case 'renew':
      return renew(state, operation)
    case 'commit':
      return commit(state, operation)
    case 'release':
      return release(state, operation)
  }
}

function begin(state: State, operation: BeginOperation): State[] {
  const { turn } = state
  const states: State[] = []
  if (turn && mayHold(turn.lease, operation)) states.push(...beginDuring(turn, state, operation))
  if (!turn || mayHaveLapsed(turn.lease, operation)) states.push(...beginWithoutTurn(state, operation))
  return states
}

function beginDuring(turn: Turn, state: State, operation: BeginOperation): State[] {
  const { token, messageId } = operation.request
  if (turn.token === token) return begun(state, operation, 'same fence')
  if (state.done.has(messageId)) return refused(state, operation, 'duplicate')
  return refused(state, operation, turn.messageId === messageId ? 'in-flight' : 'busy')
}

function beginWithoutTurn(state: State, operation: BeginOperation): State[] {
  if (state.done.has(operation.request.messageId)) return refused(state, operation, 'duplicate')
  if (isStale(state, operation)) return refused(state, operation, 'stale')
  return begun(state, operation, 'new fence')
}

/** Only an older event is stale, except after a deletion: an update with the time of the deletion is also stale. */
function isStale({ watermark, hasTombstone }: State, { request }: BeginOperation): boolean {
  const { occurredAt = '', deletion = false } = request
  return occurredAt < watermark || (occurredAt === watermark && hasTombstone && !deletion)
}

function refused(state: State, { answer }: BeginOperation, expected: string): State[] {
  return answer === undefined || answer.state === expected ? [state] : []
}

function begun(state: State, operation: BeginOperation, which: 'same fence' | 'new fence'): State[] {
  const { request, answer } = operation
  const turn: Turn = {
    token: request.token,
    messageId: request.messageId,
    lease: leaseOf(operation, request.leaseSeconds),
  }
  const isSame = which === 'same fence'
  if (answer === undefined) return [{ ...state, turn, hasHiddenFence: state.hasHiddenFence || !isSame }]
  if (answer.state !== 'begun' || answer.occurredAt !== request.occurredAt) return []
  const isSeen = isSame && !state.hasHiddenFence
  if (isSeen ? answer.fence !== state.fence : answer.fence <= state.fence) return []
  return [{ ...state, turn, fence: answer.fence, hasHiddenFence: false }]
}

/** A lapsed claim may still be renewed, if nobody has begun since. */
function renew(state: State, operation: RenewOperation): State[] {
  const { claim, answer, leaseSeconds } = operation
  const { turn } = state
  const isOurs = isNewest(claim.fence, state) && turn !== undefined && turn.token === claim.token
  if (answer !== undefined && answer !== isOurs) return []
  return [isOurs ? { ...state, turn: { ...turn, lease: leaseOf(operation, leaseSeconds) } } : state]
}

/** A lapsed or released claim may still be committed, if nobody has begun since. */
function commit(state: State, { claim, answer }: CommitOperation): State[] {
  const { messageId, token, fence, occurredAt, deletion } = claim
  const doneBy = state.done.get(messageId)
  const isOk = doneBy === undefined ? isNewest(fence, state) : doneBy === token
  if (answer !== undefined && answer !== (isOk ? 'ok' : 'lost')) return []
  if (!isOk || doneBy !== undefined) return [state]
  const done = new Map(state.done).set(messageId, token)
  return [{ ...state, turn: undefined, watermark: occurredAt, hasTombstone: deletion, done }]
}

function release(state: State, { token }: ReleaseOperation): State[] {
  return [state.turn?.token === token ? { ...state, turn: undefined } : state]
}

function isNewest(fence: number, state: State): boolean {
  return fence === state.fence && !state.hasHiddenFence
}

function leaseOf(
  { calledMs, returnedMs = Number.POSITIVE_INFINITY }: Operation,
  leaseSeconds: number,
): Lease {
  return { earliestMs: calledMs, latestMs: returnedMs, lengthMs: leaseSeconds * 1000 }
}

function mayHold({ latestMs, lengthMs }: Lease, { calledMs }: Operation): boolean {
  return calledMs < latestMs + lengthMs + clockToleranceMs
}

function mayHaveLapsed({ earliestMs, lengthMs }: Lease, { returnedMs }: Operation): boolean {
  return returnedMs === undefined || returnedMs > earliestMs + lengthMs - clockToleranceMs
}

/** Everything before an operation took effect before its return. */
function tookEffectBy(state: State, returnedMs: number): State {
  const { turn } = state
  if (turn === undefined || turn.lease.latestMs <= returnedMs) return state
  return { ...state, turn: { ...turn, lease: { ...turn.lease, latestMs: returnedMs } } }
}
