/**
 * The part of a Keyv, version 5 or 6, that the ledger uses. The ledger checks the methods, not the class, so that other
 * copies of Keyv and compatible stores also work.
 */
export interface KeyvLike {
  get(key: string): Promise<unknown>
  set(key: string, value: string, ttlMs?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  on?(event: 'error', listener: (error: unknown) => void): unknown
  off?(event: 'error', listener: (error: unknown) => void): unknown
  readonly namespace?: string | undefined
  readonly store?: unknown
}
