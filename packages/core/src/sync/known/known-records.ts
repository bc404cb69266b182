import { syncMarginSeconds } from '@scalekit-scim/core/internal'
import type { ComparedRecord } from '../reading/records.ts'
import { type KnownRecord, nanosecondsOf } from './known-record.ts'

const firstCapacity = 1024
/** The stored value for an absent time. Every real time is far smaller. */
const unknownTime = 2n ** 64n - 1n

/** All records that `known` yielded. A million records take about 130 MB. Arrays of numbers keep the fields small. */
export class KnownRecords {
  readonly #ids: string[] = []
  readonly #indexes = new Map<string, number>()
  #times = new BigUint64Array(firstCapacity)
  readonly #groups: number[] = []
  readonly #directories: (string | null | undefined)[] = []
  /**
   * The ids of directories, each stored once. Each row of a database has its own copy of the id. Such copies take more
   * memory.
   */
  readonly #directoryIds = new Map<string, string>()
  /** The directory of the pass. If a record has another directory, the organization no longer has that directory. */
  readonly #ownDirectory: string
  /** Ids of records with the `organizationId` of another organization. */
  readonly foreign: string[] = []
  /** The prefixes of the ids. */
  readonly prefixes = new Set<string>()
  /** The ids of records in the organization's other directories. */
  readonly others = new Set<string>()

  constructor(directoryId: string) {
    this.#ownDirectory = directoryId
  }

  get size(): number {
    return this.#ids.length
  }

  indexOf(id: string): number | undefined {
    return this.#indexes.get(id)
  }

  idAt(index: number): string {
    return this.#ids[index] ?? ''
  }

  /** Nanoseconds since 1970. */
  occurredAt(index: number): bigint | undefined {
    const time = this.#times[index]
    return time === unknownTime ? undefined : time
  }

  /** The hash of the user's groups, made by {@link hashOf}. */
  groupsHash(index: number): number | undefined {
    const hash = this.#groups[index]
    return hash === undefined || Number.isNaN(hash) ? undefined : hash
  }

  count(matches: (index: number) => boolean): number {
    let count = 0
    for (let index = 0; index < this.size; index++) if (matches(index)) count++
    return count
  }

  /** The `directoryId` of the record. */
  directoryOf(index: number): string | undefined {
    return this.#directories[index] ?? undefined
  }

  /** Whether the record's `directoryId` is a directory that the organization no longer has. */
  isOfRemovedDirectory(index: number): boolean {
    const directoryId = this.directoryOf(index)
    return directoryId !== undefined && directoryId !== this.#ownDirectory
  }

  /** Whether the application stores directories, but does not have a directory for this record yet. */
  needsDirectory(index: number): boolean {
    return this.#directories[index] === null
  }

  /** Whether `known` yielded the record, for any directory of the organization. */
  wasYielded(id: string): boolean {
    return this.indexOf(id) !== undefined || this.others.has(id)
  }

  /**
   * Adds a record. If `known` yields a record twice, the later record replaces the earlier record. Records of other
   * directories belong in `others`.
   */
  add({ id, occurredAt, groupIds, directoryId }: KnownRecord): void {
    this.prefixes.add(prefixOf(id))
    const index = this.#indexes.get(id) ?? this.#ids.push(id) - 1
    this.#indexes.set(id, index)
    if (index >= this.#times.length) {
      this.#times = new BigUint64Array(this.#times.buffer.transfer(this.#times.byteLength * 2))
    }
    this.#times[index] = occurredAt == null ? unknownTime : nanosecondsOf(occurredAt)
    this.#groups[index] = groupIds == null ? Number.NaN : hashOf(groupIds)
    this.#directories[index] = directoryId && this.#sameText(directoryId)
  }

  #sameText(directoryId: string): string {
    const text = this.#directoryIds.get(directoryId) ?? directoryId
    this.#directoryIds.set(text, text)
    return text
  }
}

/**
 * Returns the id up to and including the first underscore, such as `diruser_`. Without an underscore, the prefix is
 * empty.
 */
export function prefixOf(id: string): string {
  return id.slice(0, id.indexOf('_') + 1)
}

/**
 * Returns a hash of 53 bits over a set of ids. The order of the ids does not matter. The probability that two different
 * sets have the same hash is 1 in 2^53.
 */
export function hashOf(ids: readonly string[]): number {
  // The hash consists of two multiplicative hashes of 32 bits. `Math.imul` is faster than a digest for each user.
  let low = 0x2545f491
  let high = 0x5bd1e995
  for (const id of ids.length < 2 ? ids : [...new Set(ids)].sort()) {
    for (let index = 0; index <= id.length; index++) {
      // An extra code ends each id, so that ['ab'] and ['a', 'b'] differ.
      const code = index < id.length ? id.charCodeAt(index) : 0x10000
      low = Math.imul(low ^ code, 0x9e3779b1)
      high = Math.imul(high ^ code, 0x85ebca77)
      low ^= high >>> 15
      high ^= low >>> 13
    }
  }
  return (high >>> 11) * 0x100000000 + (low >>> 0)
}

export type Difference = 'created' | 'updated' | 'repeated' | 'unchanged'

const marginNanos = BigInt(syncMarginSeconds) * 1_000_000_000n

/**
 * Compares a listed record with the application's record.
 *
 * The two times come from different clocks, which can be 30 s apart. The times often do not have decimals. So if the
 * application's time is later by at least the margin, a record counts as unchanged. If the application's time is not
 * that late, the sync sends the record again. The new event's watermark is at least the time of the reading, minus the
 * margin. So in a later pass, the record counts as unchanged.
 */
export function differenceOf(record: ComparedRecord, known: KnownRecords | undefined): Difference {
  if (!known) return 'updated'
  const index = known.indexOf(record.id)
  if (index === undefined) return 'created'
  if (known.isOfRemovedDirectory(index) || known.needsDirectory(index)) return 'updated'

  const occurredAt = known.occurredAt(index)
  if (occurredAt === undefined || record.updatedAt === undefined) return 'updated'
  const updatedAt = BigInt(record.updatedAt)
  if (occurredAt < updatedAt) return 'updated'
  const groups = known.groupsHash(index)
  if (groups !== undefined && record.groupIds && groups !== hashOf(record.groupIds)) return 'updated'
  return occurredAt < updatedAt + marginNanos ? 'repeated' : 'unchanged'
}
