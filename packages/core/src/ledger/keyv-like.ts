/** The part of a Keyv, version 5 or 6, that the ledger uses. Checked by shape, so that copies and look-alikes work. */
export interface KeyvLike {
  get(key: string): Promise<unknown>
  set(key: string, value: string, ttlMs?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  on?(event: 'error', listener: (error: unknown) => void): unknown
  off?(event: 'error', listener: (error: unknown) => void): unknown
  readonly namespace?: string | undefined
  readonly store?: unknown
}
