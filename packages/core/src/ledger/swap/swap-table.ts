import { StoreUnavailableError } from '../../base/errors.ts'
import type { StoreTime } from '../judge.ts'

/** A message, a resource, or a small named record. */
export type Kind = 'm' | 'r' | 's'

export interface Key {
  kind: Kind
  id: string
}

/** A row that is there; without a state it says no more than none. */
export interface StoredRow {
  state: string | undefined
  expiresMs: number
}

/** What some rows were at one moment of the store's clock; at most one row of each kind. */
export interface Snapshot {
  now: StoreTime
  rows: { readonly [K in Kind]?: StoredRow }
}

/** A row's new state; `undefined` is none. */
export interface Change extends Key {
  state: string | undefined
  expiresMs: number
}

/** The rows of one namespace: read at one moment, and written only where they are still what was read. */
export interface SwapTable {
  read(keys: readonly Key[]): Promise<Snapshot>
  /** Writes all the changes, in one atomic statement, if each row is still as it was; says whether it did. */
  swap(seen: Snapshot, changes: readonly Change[]): Promise<boolean>
  /** Deletes a row; says whether it was there and had not expired. */
  remove(key: Key): Promise<boolean>
  /** Deletes at most `limit` expired rows, of any namespace, by the index on the expiry; says how many. */
  sweep(limit: number): Promise<number>
}

export function isKind(kind: unknown): kind is Kind {
  return kind === 'm' || kind === 'r' || kind === 's'
}

export function asRows(rows: unknown): Record<string, unknown>[] {
  if (!Array.isArray(rows)) throw unexpected()
  return rows
}

export function unexpected(): StoreUnavailableError {
  return new StoreUnavailableError('the database answered what we did not ask')
}
