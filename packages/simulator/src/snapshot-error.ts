import { given } from './given.ts'

export type SnapshotErrorReason = 'unusable' | 'in-use' | 'broken'

/** The file of a simulator cannot be read or written, is another's, or holds what no simulator wrote. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
  readonly reason: SnapshotErrorReason

  constructor(reason: SnapshotErrorReason, message: string, cause?: unknown) {
    super(message, given({ cause }))
    this.reason = reason
  }
}
