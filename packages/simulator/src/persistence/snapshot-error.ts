import { omitUndefined } from '@scalekit-scim/core/internal'

export type SnapshotErrorReason = 'unusable' | 'in-use' | 'broken'

/** The file of a simulator cannot be read or written, is in use, or has invalid content. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
  readonly reason: SnapshotErrorReason

  constructor(reason: SnapshotErrorReason, message: string, cause?: unknown) {
    super(message, omitUndefined({ cause }))
    this.reason = reason
  }
}
