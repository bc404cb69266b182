/** Stable codes of {@link SyncError}. docs/errors.md explains each code. */
export type SyncErrorCode =
  | 'ERR_SCIM_KNOWN_INVALID'
  | 'ERR_SCIM_KNOWN_FOREIGN'
  | 'ERR_SCIM_KNOWN_SILENT'
  | 'ERR_SCIM_STATE_UNREADABLE'
  | 'ERR_SCIM_LEASE_LOST'
  | 'ERR_SCIM_WALK_SHORT'
  | 'ERR_SCIM_API_CREDENTIALS'

/**
 * The reason why the sync did not finish a directory or a whole pass. The sync never throws this error. The report
 * contains the error's code and message. So the message does not contain personal data.
 */
export class SyncError extends Error {
  override readonly name = 'SyncError'
  readonly code: SyncErrorCode

  constructor(code: SyncErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
