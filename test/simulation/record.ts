import type { Outcome } from '@scalekit-scim/core'
import type { Message } from './messages.ts'
import type { SimulatedProcess } from './process.ts'

/** One run of a message's handler. */
export interface Run {
  message: Message
  process: SimulatedProcess
  /** Counts the runs of the message, from 0. */
  number: number
  startedMs: number
  endedMs: number
  end: 'running' | 'completed' | 'dropped' | 'failed' | 'dead'
  /** The time of the handler's write to the application's database. */
  wroteMs?: number
  /** The time at which the handler's signal aborted, and the reason. */
  abortedMs: number
  abortReason: string
}

/** One attempt at a message, or one `dispatch()`. */
export interface Attempt {
  message: Message
  process: SimulatedProcess
  arrivedMs: number
  /** Infinity if there was no reply. */
  repliedMs: number
  outcome?: Outcome
  status?: number
  body?: string
  isDispatch: boolean
}

/** One call of `forget` or `forgetResource`. */
export interface Forget {
  message: Message
  forgets: 'message' | 'resource'
  atMs: number
  /** Infinity if the call failed. It may still take effect. */
  endedMs: number
}

export interface Violation {
  invariant: string
  atMs: number
  detail: string
}

/** The events of a history. The invariants are checked on the record when the history has ended. */
export class HistoryRecord {
  readonly runs: Run[] = []
  readonly attempts: Attempt[] = []
  /** When the store recorded a message as done. */
  readonly recorded: { messageId: string; atMs: number }[] = []
  readonly forgets: Forget[] = []
  /** Violations that were seen as they happened. */
  readonly violations: Violation[] = []

  runsOf({ id }: Message): Run[] {
    return this.runs.filter(({ message }) => message.id === id)
  }
}
