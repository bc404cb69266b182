import { z } from 'zod'
import { SyncError } from '../sync-error.ts'
import type { DeletionState, HeldBatch } from './deletion-state.ts'

// The state as the ledger keeps it: JSON with a version. The ids of a batch are apart, in chunks.

/** A batch without its ids, and where they are. */
export interface StoredBatch extends Omit<HeldBatch, 'ids'> {
  /** Names the chunks; new ones are written under a new name, so that no reader sees half of a change. */
  revision: string
  chunks: number
}

export interface StoredState extends Omit<DeletionState, 'batches'> {
  batches: StoredBatch[]
}

const version = 1
const instant = z.string().regex(/^\d{19}$/)
const counts = z.array(z.tuple([z.int(), z.int()]))
const format = z.object({
  version: z.literal(version),
  sharedWith: z.array(z.tuple([z.string(), instant])),
  directories: z.array(
    z.object({
      id: z.string(),
      from: instant.optional(),
      deletedByHour: counts,
      tried: z.array(z.string()),
      knownByDay: counts,
    }),
  ),
  batches: z.array(
    z.object({
      approval: z.string(),
      directoryId: z.string(),
      reason: z.enum([
        'over-limit',
        'over-half',
        'nothing-listed',
        'directory-removed',
        'no-origin',
        'no-history',
      ]),
      heldAt: instant,
      approvedAt: instant.optional(),
      yieldedAt: instant,
      open: z.int(),
      revision: z.string(),
      chunks: z.int(),
    }),
  ),
})
const chunkFormat = z.array(z.string())

/** @param writer makes the text of each write another one, so that a writer recognises its own */
export function formatState({ directories, batches, sharedWith }: StoredState, writer: string): string {
  return JSON.stringify({
    version,
    writer,
    sharedWith: [...sharedWith],
    directories: [...directories].map(([id, { from, deletedByHour, tried, knownByDay }]) => ({
      id,
      from,
      tried: [...tried],
      deletedByHour: [...deletedByHour],
      knownByDay: [...knownByDay],
    })),
    batches,
  })
}

/** @throws SyncError for what this version cannot read */
export function parseState(text: string): StoredState {
  const { directories, batches, sharedWith } = parse(format, text)
  return {
    sharedWith: new Map(sharedWith),
    directories: new Map(
      directories.map(({ id, from, deletedByHour, tried, knownByDay }) => [
        id,
        {
          from,
          deletedByHour: new Map(deletedByHour),
          tried: new Set(tried),
          knownByDay: new Map(knownByDay),
        },
      ]),
    ),
    batches,
  }
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
      "the sync's record of deletions cannot be read, so nothing is deleted: another version of this package has " +
        'written it, or something else uses its keys. Run one version on one `namespace`, or give the sync another one',
    )
  }
}
