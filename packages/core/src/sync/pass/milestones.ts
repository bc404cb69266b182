import type { Ledger } from '@scalekit-scim/core'
import { z } from 'zod'
import { instant, mapOf, toJson } from '../deletions/state-format.ts'
import { type DirectoryRef, earliestInstant } from '../reading/records.ts'
import type { RecordList } from '../reporting/report.ts'

/**
 * The progress of a directory's passes, by the store's clock. `earliestInstant` means that no such pass has run. Only
 * complete passes count.
 */
const format = z.object({
  /** The time when the last pass ended. The next pass begins with the directory that has the earliest time. */
  completedAt: instant,
  /** The time when the last pass began. An incremental pass reads the changes since this time. */
  startedAt: instant,
  /** The time when the last full pass began. `earliestInstant` means that the next pass must be a full pass. */
  fullStartedAt: instant,
  failures: z.object({
    /**
     * The number of consecutive full passes in which each record failed. A handler that always fails for one user must
     * not make all passes full. With 100,000 users, a full pass takes 3,300 API calls.
     */
    passesById: mapOf(z.string(), z.int()),
    /** The number of consecutive full passes with more failed records than the report names. */
    passesOfMany: z.int(),
  }),
})

export type Milestones = z.output<typeof format>
type Failures = Milestones['failures']

/** If a pass did not read the directory to its end, this list replaces the list of failed records. */
export const brokenPass: RecordList = { count: 1, ids: ['broken'] }

/** A directory that no pass has completed. */
export const noMilestones: Milestones = {
  completedAt: earliestInstant,
  startedAt: earliestInstant,
  fullStartedAt: earliestInstant,
  failures: { passesById: new Map(), passesOfMany: 0 },
}

/** After this number of failed full passes, a record waits for the next scheduled full pass. */
const maxPasses = 3
/**
 * Milestones expire after this time, for example those of a removed directory. The longest time between two full passes
 * is shorter than this time.
 */
const keptSeconds = 35 * 86_400

export function afterFullPass({ passesById, passesOfMany }: Failures, { ids, count }: RecordList): Failures {
  return {
    passesById: new Map(ids.map((id) => [id, (passesById.get(id) ?? 0) + 1])),
    passesOfMany: count > ids.length ? passesOfMany + 1 : 0,
  }
}

/** Whether the next pass must retry the failed records. */
export function mustRetry({ passesById, passesOfMany }: Failures, { ids, count }: RecordList): boolean {
  if (count > ids.length) return passesOfMany < maxPasses
  return ids.some((id) => (passesById.get(id) ?? 0) < maxPasses)
}

/** @returns `undefined` for a directory that no pass has completed, or for text of another version */
export async function readMilestones(
  ledger: Ledger,
  directory: DirectoryRef,
): Promise<Milestones | undefined> {
  const text = await ledger.record(recordName(directory)).read()
  try {
    return format.parse(JSON.parse(text ?? 'null'))
  } catch {
    return undefined
  }
}

/** Only the pass with the lease writes milestones. So a concurrent write comes from a pass that has lost its lease. */
export async function writeMilestones(
  ledger: Ledger,
  directory: DirectoryRef,
  milestones: Milestones,
): Promise<void> {
  const record = ledger.record(recordName(directory))
  await record.compareAndSet(await record.read(), toJson(milestones), keptSeconds)
}

function recordName({ organizationId, id }: DirectoryRef): string {
  return `sync:${encodeURIComponent(organizationId)}:${encodeURIComponent(id)}`
}
