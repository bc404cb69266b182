import { z } from 'zod'
import { SyncError } from '../sync-error.ts'
import { type DeletionState, type HeldBatch, stickyReasons } from './deletion-state.ts'

// The stored form of the state: JSON with a version. The ids of a batch are stored separately, in chunks.

/** A batch without its ids, but with the name of the chunks that contain them. */
export interface StoredBatch extends Omit<HeldBatch, 'ids'> {
  /** Names the chunks. New chunks get a new name, so that readers do not see half of a change. */
  revision: string
  chunks: number
}

export interface StoredState extends Omit<DeletionState, 'batches'> {
  batches: StoredBatch[]
}

const version = 1
const instant = z.string().regex(/^\d{19}$/)
const counts = z.array(z.tuple([z.int(), z.int()])).transform((entries) => new Map(entries))
const history = z.object({
  from: instant.optional(),
  deletedByHour: counts,
  tried: z.array(z.string()).transform((ids) => new Set(ids)),
  knownByDay: counts,
})
const batch = z.object({
  approval: z.string(),
  directoryId: z.string(),
  reason: z.enum(stickyReasons),
  heldAt: instant,
  approvedAt: instant.optional(),
  yieldedAt: instant,
  open: z.int(),
  revision: z.string(),
  chunks: z.int(),
})
const format = z.object({
  version: z.literal(version),
  sharedWith: z.array(z.tuple([z.string(), instant])).transform((entries) => new Map(entries)),
  directories: z.array(z.tuple([z.string(), history])).transform((entries) => new Map(entries)),
  batches: z.array(batch),
})
const chunkFormat = z.array(z.string())

/** @param writer makes the text of each write different, so that a writer recognizes its own text */
export function formatState(state: StoredState, writer: string): string {
  const { directories, batches, sharedWith } = state
  return JSON.stringify({ version, writer, sharedWith, directories, batches }, (_, value: unknown) =>
    value instanceof Map || value instanceof Set ? [...value] : value,
  )
}

/** @throws SyncError if this version cannot read the text */
export function parseState(text: string): StoredState {
  return parse(format, text)
}

export function parseChunk(text: string): string[] {
  return parse(chunkFormat, text)
}

function parse<Parsed>(schema: z.ZodType<Parsed>, text: string): Parsed {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    throw new SyncError(
      'ERR_SCIM_STATE_UNREADABLE',
      "the sync's record of deletions cannot be read, so nothing is deleted. Another version of this package wrote it, or " +
        'another application uses its keys. Run one version per `namespace`, or give the sync another `namespace`.',
    )
  }
}
