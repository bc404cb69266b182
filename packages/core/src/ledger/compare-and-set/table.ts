import type { Instant } from '../../base/instant.ts'
import type { StoreTime } from '../decisions.ts'
import { unexpected } from '../driver.ts'

/** A message, a resource, or a small named record. */
export type Kind = 'm' | 'r' | 's'

export interface Key {
  kind: Kind
  id: string
}

/** A row that exists. A row without a state means the same as no row. */
export interface StoredRow {
  state: string | undefined
  expiresMs: number
}

/** Rows as they were at one moment of the store's clock. At most one row of each kind. */
export interface Snapshot {
  now: StoreTime
  rows: { readonly [K in Kind]?: StoredRow }
}

/** A row's new state. If the state is `undefined`, the row is deleted. */
export interface Change extends Key {
  state: string | undefined
  expiresMs: number
}

/**
 * The rows of one namespace. The ledger reads rows at one moment. If a row has changed since the read, the ledger does
 * not write it.
 */
export interface CompareAndSetTable {
  read(keys: readonly Key[]): Promise<Snapshot>
  /**
   * If no row has changed since the read, writes all the changes in one atomic step.
   * @returns whether the changes were written
   */
  compareAndSet(seen: Snapshot, changes: readonly Change[]): Promise<boolean>
  /** Returns the store's time. If only a read returns the store's time, this method is absent. */
  now?(): Promise<Instant>
  /**
   * Deletes at most `limit` expired rows of any namespace. If the store itself deletes expired rows, this method is
   * absent.
   */
  sweep?(limit: number): Promise<number>
  /**
   * Waits until no other work for these keys runs, and then runs the work. If `compareAndSet` itself compares, this
   * method is absent.
   */
  exclusively?<T>(keys: readonly Key[], work: () => Promise<T>): Promise<T>
  close?(): void
}

export function asRows(rows: unknown): Record<string, unknown>[] {
  if (!Array.isArray(rows)) throw unexpected()
  return rows
}

/**
 * Returns the rows of an answer with the columns `kind`, `state` and `expires_ms`. The `expires_ms` of a missing row is
 * null.
 */
export function rowsByKind(found: readonly Record<string, unknown>[]): Snapshot['rows'] {
  const rows: { [K in Kind]?: StoredRow } = {}
  for (const { kind, state, expires_ms } of found) {
    if (!isKind(kind)) throw unexpected()
    if (expires_ms !== null) rows[kind] = { state: asText(state), expiresMs: asNumber(expires_ms) }
  }
  return rows
}

function isKind(kind: unknown): kind is Kind {
  return kind === 'm' || kind === 'r' || kind === 's'
}

function asText(value: unknown): string | undefined {
  if (value === null) return undefined
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (typeof value === 'string') return value
  throw unexpected()
}

/** A pool can be configured to return large numbers as text. */
export function asNumber(value: unknown): number {
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw unexpected()
  return number
}
