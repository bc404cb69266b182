import { setImmediate as othersHaveRun } from 'node:timers/promises'
import type { Clock } from '@scalekit-scim/core'
import { parseInstant } from '@scalekit-scim/core/internal'
import { IdTable } from './id-table.ts'
import { noTime, requireRecord, requireRecords, silent } from './known-record.ts'
import { Prefixes } from './prefixes.ts'
import type { DirectoryRef } from './records.ts'
import { unlessSilent } from './waiting.ts'

/** What the application has of one user or group. */
export interface KnownRecord {
  id: string
  /**
   * `ctx.occurredAt` as it was stored with the row, in RFC 3339. Not the time at which the row was changed last: a record
   * would count as newer than it is. Absent: the record is sent again.
   */
  occurredAt?: string | null | undefined
  /** The ids of the user's groups, in any order. Absent: memberships are not compared. */
  groupIds?: readonly string[] | null | undefined
  /**
   * `ctx.directoryId` as it was stored with the row. An organization that has or had several directories needs it:
   * somebody who is missing from one of them may be in another, and without it their deletion is held. `null`: the
   * application keeps it and does not know it yet, so the directory that lists the record sends it once more. Absent: the
   * application does not keep it.
   */
  directoryId?: string | null | undefined
  /**
   * `event.organization_id` as it was stored with the row. Records of another organization than the one that was asked
   * for are reported, and nobody of the directory is deleted then. Absent: not checked.
   */
  organizationId?: string | null | undefined
}

/**
 * What the application has of a directory: the rows that the directory's events have created, without tombstones. Rows of
 * people who did not come from a directory, or of another organization, must not be among them. It is read to its end
 * before a walk begins, and once more if somebody is missing and the pass is over several organizations. Rows may be
 * streamed. If it does not yield for 5 minutes, the directory ends with `ERR_SCIM_KNOWN_SILENT`.
 */
export type Known = (directory: DirectoryRef) => KnownStream | Promise<KnownStream>
type KnownStream = Iterable<KnownRecord> | AsyncIterable<KnownRecord>

const firstCapacity = 1024
/** A `known` that yields nothing for this long hangs. Its pass would hold the lease, and block every other process. */
const silentMs = 300_000
/** A million rows that are there at once take seconds, and webhooks have to be answered meanwhile. */
export const readAtOnce = 1000
/** Of a record without one. No time is this one: the digits of an instant end well below. */
const unknownTime = 2n ** 64n - 1n
/** What a record says of its directory: nothing, that it is not known yet, or the number of one, from 2. */
const place = { unsaid: 0, asked: 1, here: 2 }

/** `known`, read to its end: some sixty bytes a record, since a directory may have a million. */
export class KnownRecords {
  readonly #ids = new IdTable()
  #times = new BigUint64Array(firstCapacity)
  #groups = new Float64Array(firstCapacity)
  #places = new Uint32Array(firstCapacity)
  /** By their number less 2: the pass's own, and those that the organization does not have any more. */
  readonly #directories: string[]
  /** Records that said that they are another organization's. */
  readonly foreign: string[] = []
  readonly prefixes = new Prefixes()
  /** Records of the organization's other directories. */
  readonly #others = new IdTable()

  constructor(directoryId: string) {
    this.#directories = [directoryId]
  }

  get size(): number {
    return this.#ids.size
  }

  indexOf(id: string): number | undefined {
    return this.#ids.indexOf(id)
  }

  idAt(index: number): string {
    return this.#ids.at(index)
  }

  /** Nanoseconds since 1970. */
  occurredAt(index: number): bigint | undefined {
    const time = this.#times[index]
    return time === unknownTime ? undefined : time
  }

  /** As `hashOf` gives it. */
  groupsHash(index: number): number | undefined {
    const hash = this.#groups[index]
    return hash === undefined || Number.isNaN(hash) ? undefined : hash
  }

  count(isIt: (index: number) => boolean): number {
    let count = 0
    for (let index = 0; index < this.size; index++) if (isIt(index)) count++
    return count
  }

  /** The directory that the record says it is of. */
  directoryOf(index: number): string | undefined {
    return this.#directories[(this.#places[index] ?? place.unsaid) - place.here]
  }

  /** Whether it says that it is of a directory which the organization does not have any more. */
  isOfRemoved(index: number): boolean {
    return (this.#places[index] ?? place.unsaid) > place.here
  }

  /** Whether the application would keep whose the record is, and does not know. */
  isToBePlaced(index: number): boolean {
    return this.#places[index] === place.asked
  }

  /** A record that comes twice counts once, as it came last. */
  addOther(id: string): void {
    this.#others.add(id)
  }

  /** Whether `known` yielded the record, of whichever directory of the organization. */
  wasYielded(id: string): boolean {
    return this.indexOf(id) !== undefined || this.#others.indexOf(id) !== undefined
  }

  add(record: KnownRecord): void {
    this.prefixes.add(record.id)
    const index = this.#ids.add(record.id)
    if (index >= this.#times.length) this.#grow()
    this.#times[index] = record.occurredAt == null ? unknownTime : nanoseconds(record.occurredAt)
    this.#groups[index] = record.groupIds == null ? Number.NaN : hashOf(record.groupIds)
    this.#places[index] = this.#placeOf(record.directoryId)
  }

  /** Another directory's of the organization are not added, so what is not here is gone. */
  #placeOf(said: string | null | undefined): number {
    if (said == null) return said === null ? place.asked : place.unsaid
    const number = this.#directories.indexOf(said)
    return (number < 0 ? this.#directories.push(said) - 1 : number) + place.here
  }

  #grow(): void {
    const capacity = this.#times.length * 2
    const times = new BigUint64Array(capacity)
    const groups = new Float64Array(capacity)
    const places = new Uint32Array(capacity)
    times.set(this.#times)
    groups.set(this.#groups)
    places.set(this.#places)
    this.#times = times
    this.#groups = groups
    this.#places = places
  }
}

/**
 * @param isOthers whether a directory has a pass of its own that its records belong to
 * @throws SyncError for what is no record, and for a `known` that stops to answer; whatever `known` throws; and the
 *   signal's reason, also while nothing comes
 */
export function readKnown(
  known: Known,
  directory: DirectoryRef,
  isOthers: (directoryId: string) => boolean,
  reading: Reading,
): Promise<KnownRecords> {
  const records = new KnownRecords(directory.id)
  const read = eachRecord(known, directory, reading, (record) => {
    if (isForeign(record, directory)) records.foreign.push(record.id)
    else if (record.directoryId == null || !isOthers(record.directoryId)) records.add(record)
    else records.addOther(record.id)
  })
  return read.then(() => records)
}

/** The ids of records that do not say which organization they are of. @throws as {@link readKnown} */
export function readKnownIds(
  known: Known,
  directory: DirectoryRef,
  reading: Reading,
  visit: (id: string) => void,
): Promise<void> {
  return eachRecord(known, directory, reading, (record) => {
    if (record.organizationId == null) visit(record.id)
  })
}

interface Reading {
  signal: AbortSignal
  clock: Clock
}

function eachRecord(
  known: Known,
  directory: DirectoryRef,
  { signal, clock }: Reading,
  visit: (record: KnownRecord) => void,
): Promise<void> {
  return unlessSilent({ signal, clock, silentMs, error: silent }, async (answered, ended) => {
    const stream = await known(directory)
    requireRecords(stream)
    let read = 0
    for await (const record of stream) {
      if (++read % readAtOnce === 0) await othersHaveRun()
      answered()
      ended.throwIfAborted()
      requireRecord(record)
      visit(record)
    }
  })
}

function isForeign({ organizationId }: KnownRecord, directory: DirectoryRef): boolean {
  return organizationId != null && organizationId !== directory.organizationId
}

/** The ids that one walk has met: one bit for each that is known, the others by name. */
export class Sightings {
  readonly #known: KnownRecords
  readonly #bits: Uint8Array
  readonly #others = new Set<string>()
  readonly prefixes = new Prefixes()
  #knownMet = 0

  constructor(known: KnownRecords) {
    this.#known = known
    this.#bits = new Uint8Array(Math.ceil(known.size / 8))
  }

  /** How many different ids were met. */
  get unique(): number {
    return this.#knownMet + this.#others.size
  }

  add(id: string): void {
    this.prefixes.add(id)
    const index = this.#known.indexOf(id)
    if (index === undefined) {
      this.#others.add(id)
      return
    }
    if (this.#met(index)) return
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) | (1 << (index & 7))
    this.#knownMet++
  }

  /** Whether all that another walk has met was met here too. */
  covers(earlier: Sightings): boolean {
    return (
      earlier.#bits.every((bits, at) => (bits & ~(this.#bits[at] ?? 0)) === 0) &&
      [...earlier.#others].every((id) => this.#others.has(id))
    )
  }

  has(id: string): boolean {
    const index = this.#known.indexOf(id)
    return index === undefined ? this.#others.has(id) : this.#met(index)
  }

  /** The indexes of those that are known and were not met, neither here nor in the other walks. */
  missing(...others: readonly Sightings[]): number[] {
    const missing: number[] = []
    for (let index = 0; index < this.#known.size; index++) {
      if (!this.#met(index) && !others.some((other) => other.#met(index))) missing.push(index)
    }
    return missing
  }

  #met(index: number): boolean {
    return ((this.#bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
  }
}

/** 53 bits over a set of ids, whatever their order: equal sets are equal, others differ but for one in 2^53. */
export function hashOf(ids: readonly string[]): number {
  // Two 32-bit multiplicative hashes side by side, since Math.imul is fast and a digest of each user is not.
  let low = 0x2545f491
  let high = 0x5bd1e995
  for (const id of ids.length < 2 ? ids : [...new Set(ids)].sort()) {
    for (let index = 0; index <= id.length; index++) {
      // One code beyond the id's own ends it, so that ['ab'] and ['a', 'b'] differ.
      const code = index < id.length ? id.charCodeAt(index) : 0x10000
      low = Math.imul(low ^ code, 0x9e3779b1)
      high = Math.imul(high ^ code, 0x85ebca77)
      low ^= high >>> 15
      high ^= low >>> 13
    }
  }
  return (high >>> 11) * 0x100000000 + (low >>> 0)
}

function nanoseconds(text: string): bigint {
  const instant = parseInstant(text)
  if (instant === undefined) throw noTime()
  return BigInt(instant)
}
