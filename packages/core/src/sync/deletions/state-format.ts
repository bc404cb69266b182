import { z } from 'zod'
import type { StickyReason } from '../reporting/report.ts'
import { SyncError } from '../sync-error.ts'

// The past and the held deletions of one kind (users or groups) in an organization. Limits count the deletions of
// several days. Later passes must not release held deletions. So the ledger stores past and held deletions. All times
// are times of the store's clock. The stored form is JSON with a version. The ids of a batch are in separate records,
// called chunks.

/** The reasons to hold deletions until an approval, in the order of a report. */
export const stickyReasons: readonly StickyReason[] = [
  'no-origin',
  'directory-removed',
  'no-history',
  'nothing-listed',
  'over-half',
  'over-limit',
]

export const instant = z.string().regex(/^\d{19}$/)
const version = 1

const history = z.object({
  /**
   * The beginning of the history. No pass has checked records from before this time. Before the first full pass, the
   * value is `undefined`. After a full pass has checked all records, the value is `earliestInstant`.
   */
  from: instant.optional(),
  /** The number of unapproved deletions in each hour. The key is the number of hours since 1970. */
  deletedByHour: mapOf(z.int(), z.int()),
  /** The ids of counted deletions whose handler failed or dropped the event. A retry does not count them again. */
  tried: z.array(z.string()).transform((ids) => new Set(ids)),
  /**
   * The largest number of the application's records on each day, without held records. The key is the number of days
   * since 1970.
   */
  knownByDay: mapOf(z.int(), z.int()),
})

const batch = z.object({
  /** The approval of the batch. When ids leave the batch, the approval does not change. */
  approval: z.string(),
  /** The directory whose pass last reported some of the records as missing. */
  directoryId: z.string(),
  reason: z.enum(stickyReasons),
  heldAt: instant,
  approvedAt: instant.optional(),
  /** The time when `known` last yielded one of the ids. */
  yieldedAt: instant,
  /**
   * The number of open ids. If `known` yields an id and the directory does not list it, the id is open. Open ids come
   * first in `ids`.
   */
  open: z.int(),
  /**
   * A part of the chunks' names. New chunks get a new name, so that a reader never gets old and new chunks together.
   */
  revision: z.string(),
  chunks: z.int(),
})

export const stateFormat = z.object({
  version: z.literal(version),
  /**
   * Other organizations for which `known` yielded ids of this organization. The value is the time when a pass last
   * found such ids.
   */
  sharedWith: mapOf(z.string(), instant),
  /** All directories that the organization has or had, by id. */
  directories: mapOf(z.string(), history),
  batches: z.array(batch),
})

/** The stored form of some of a batch's ids. */
export const chunkFormat = z.array(z.string())

export type DirectoryHistory = z.output<typeof history>

/** A batch without its ids, but with the name of the chunks that contain them. */
export type StoredBatch = z.output<typeof batch>

/** Deletions that one pass held together. One approval applies to all these deletions. */
export type HeldBatch = Omit<StoredBatch, 'revision' | 'chunks'> & { ids: readonly string[] }

export type StoredState = Omit<z.output<typeof stateFormat>, 'version'>
export type DeletionState = Omit<StoredState, 'batches'> & { batches: HeldBatch[] }

/** Returns the schema of a map. The stored form of a map is a list of its entries. */
export function mapOf<Key extends string | number, Value>(key: z.ZodType<Key>, value: z.ZodType<Value>) {
  return z.array(z.tuple([key, value])).transform((entries) => new Map(entries))
}

/** Formats a value as JSON. Maps become lists of their entries. Sets become lists. */
export function toJson(value: object): string {
  return JSON.stringify(value, (_, field: unknown) =>
    field instanceof Map || field instanceof Set ? [...field] : field,
  )
}

/** @param writer makes the text of each write different, so that a writer recognizes its own text */
export function formatState({ sharedWith, directories, batches }: StoredState, writer: string): string {
  return toJson({ version, writer, sharedWith, directories, batches })
}

/** @throws SyncError if this version cannot read the text */
export function parseStored<Parsed>(schema: z.ZodType<Parsed>, text: string): Parsed {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    throw new SyncError(
      'ERR_SCIM_STATE_UNREADABLE',
      'the sync cannot read its record of deletions, so it deletes nothing. Another version of this package wrote the record, or ' +
        'another application uses the same keys. Run one version per `namespace`, or give the sync another `namespace`.',
    )
  }
}
