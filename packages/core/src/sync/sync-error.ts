/** The stable codes of {@link SyncError}; each has its heading in docs/errors.md. */
export type SyncErrorCode =
  | 'ERR_SCIM_KNOWN_INVALID'
  | 'ERR_SCIM_KNOWN_FOREIGN'
  | 'ERR_SCIM_KNOWN_SILENT'
  | 'ERR_SCIM_STATE_UNREADABLE'
  | 'ERR_SCIM_LEASE_LOST'
  | 'ERR_SCIM_WALK_SHORT'
  | 'ERR_SCIM_API_CREDENTIALS'

/**
 * Why a directory, or a whole pass, could not be finished. It is reported by its code and its message, which so holds no
 * personal data, and thrown to nobody.
 */
export class SyncError extends Error {
  override readonly name = 'SyncError'
  readonly code: SyncErrorCode

  constructor(code: SyncErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
