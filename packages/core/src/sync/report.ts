import { errorFields } from '@scalekit-scim/core/internal'
import { credentialsRefused, networkCodeOf } from './api-trouble.ts'
import { SyncError } from './sync-error.ts'

/** What became of the records of one kind. */
export interface Counts {
  /** Listed by the directory; of an incremental pass, those that had changed. */
  seen: number
  /** Handlers ran, or in a dry run would have. */
  created: number
  updated: number
  deleted: number
  /**
   * Sent once more to be sure: the application has it as of the record's time or up to a minute later, and clocks
   * differ. Passes soon after a change do so, and then it counts as unchanged.
   */
  repeated: number
  /** The application has them as they are. */
  unchanged: number
  /** A webhook was newer. */
  stale: number
  /** The handler threw `DropEvent`. */
  dropped: number
  /** No handler is given for such an event. */
  unhandled: number
  /** Not listed any more, and not deleted: see `held` of the directory. */
  held: number
  /** The handler or the store failed. The next pass tries again; after three full passes, the next scheduled full one. */
  failed: number
}

/**
 * Why deletions wait for a person, who may approve them. They stay held in later passes, and with wider limits. A record
 * leaves its hold without an approval only if a directory of the organization lists it again, or 90 days after `known`
 * has last yielded anybody who is held with it.
 *
 * - 'over-limit': more than `deletions` allows in a day, or twice its count and four times its share in 30 days
 * - 'over-half': with the deletions of 30 days, over half of the directory's records
 * - 'nothing-listed': the directory lists nothing at all
 * - 'directory-removed': `known` says that they are of a directory which the organization does not have any more, and no
 *   other directory lists them
 * - 'no-origin': `known` gives neither `occurredAt` nor `directoryId`, so nothing says that a directory created them
 * - 'no-history': no full pass on this store has judged the directory yet, or the store has lost its data since
 */
export type StickyReason =
  | 'over-limit'
  | 'over-half'
  | 'nothing-listed'
  | 'directory-removed'
  | 'no-origin'
  | 'no-history'

/**
 * Why deletions were not applied: {@link StickyReason}, or one that nobody can approve.
 *
 * - 'unsettled': the directory changed while it was read, or gave wrong numbers; the organization got or lost a directory;
 *   `known` yielded foreign records; or another directory of the organization could not be read, which may list the
 *   people of a removed one. A later full pass looks again.
 * - 'directory-disabled': it was disabled while it was read. The next pass looks again.
 * - 'several-directories': the organization has or had more than one, and `known` does not say which one the records are of
 */
export type HeldReason = StickyReason | 'unsettled' | 'directory-disabled' | 'several-directories'

export interface HeldDeletions {
  kind: 'user' | 'group'
  reason: HeldReason
  count: number
  /**
   * For `run({ approve: [approval] })`, which deletes those of them that two new walks still miss. Given only for a
   * {@link StickyReason}. It is valid for 7 days from that run on, so a handler that fails is tried again. A dry run's is
   * valid for the 7 days after the dry run, as long as the same ids are missing.
   */
  approval?: string
  /** Since when they are held: UTC, RFC 3339. Given with an approval. */
  heldSince?: string
  /** Given if a person has approved them. Each full pass until then tries to delete them: UTC, RFC 3339. */
  approvedUntil?: string
  /** The first 1,000 ids, sorted. */
  ids: readonly string[]
}

/** Records by their ids. */
export interface RecordList {
  count: number
  /** The first 1,000 ids. */
  ids: readonly string[]
}

/** Records that were held, and that a directory of the organization lists again. They are held no longer. */
export interface ReturnedRecords extends RecordList {
  kind: 'user' | 'group'
  /** Of the deletions that they were held with. It stays valid for the others. */
  approval: string
}

/** Users whom the pass brought as `active: false`. Deactivations are reversible, so no limit holds them. */
export interface Deactivations extends RecordList {
  /** Whether they are more than `deletions` would allow in a day, for a person to look at. */
  overLimits: boolean
}

/** What failed, by its class and code: a message may hold personal data. */
export interface ReportedError {
  name: string
  code?: string
  /** What is wrong and how to fix it, of a {@link SyncError}: such words hold no personal data. */
  hint?: string
  /**
   * The error itself, to look at: its message may hold personal data. Not enumerable, so no log, no `JSON.stringify`
   * and no copy of the report has it.
   */
  readonly cause?: unknown
}

export interface DirectoryReport {
  directoryId: string
  mode: 'full' | 'incremental'
  users: Counts
  groups: Counts
  held: HeldDeletions[]
  /** Records whose deletion the handlers have applied, or in a dry run would have. */
  deleted: Record<'users' | 'groups', RecordList>
  /** Records of which an event failed, deletions included. */
  failed: Record<'users' | 'groups', RecordList>
  returned: ReturnedRecords[]
  deactivated: Deactivations
  error?: ReportedError
  /** Calls of the Directory API that were made again. */
  retries: number
  durationMs: number
}

/** Which clocks are over 30 s apart, and by how much. A minute is all the margin there is, and beyond it changes are missed. */
export interface ClocksApart {
  /** The store's is so far ahead of this process's; below zero, behind. */
  storeAheadSeconds?: number
  /** A record has a time that is so far ahead of the store's: so is Scalekit's clock, or the store's is behind. */
  recordsAheadSeconds?: number
}

export interface OrganizationReport {
  organizationId: string
  /** Why nothing was read: it has no directory, or none that is enabled. */
  skipped?: 'no-directory' | 'directory-disabled'
  error?: ReportedError
  directories: DirectoryReport[]
}

export interface SyncReport {
  /** UTC, RFC 3339 */
  startedAt: string
  durationMs: number
  /** As it was asked for; what each directory got is with the directory. */
  mode: 'auto' | 'full' | 'incremental'
  dryRun: boolean
  /**
   * 'complete': every directory was read to its end, and nothing failed. 'incomplete': something did, see the errors.
   * 'cancelled': by the signal, by `stop()`, or because the dispatcher was closed. 'busy': another pass was running.
   */
  outcome: 'complete' | 'incomplete' | 'cancelled' | 'busy'
  organizations: OrganizationReport[]
  totals: SyncTotals
  /**
   * Of `approve`, those that named no held deletions in this pass: mistyped, used before, of a dry run that is over 7 days
   * old or whose ids have changed, or of a directory that was not read or of which `known` yielded nothing.
   */
  unusedApprovals: readonly string[]
  /** Calls of the Directory API that were made again. */
  retries: number
  /** Only where the pass has found some that are. */
  clocksApart?: ClocksApart
  /** What ended the pass as a whole. */
  error?: ReportedError
}

export interface SyncTotals {
  organizations: number
  skipped: number
  directories: number
  /** Organizations and directories that ended with an error. */
  errors: number
  users: Counts
  groups: Counts
}

export function noCounts(): Counts {
  return {
    seen: 0,
    created: 0,
    updated: 0,
    deleted: 0,
    repeated: 0,
    unchanged: 0,
    stale: 0,
    dropped: 0,
    unhandled: 0,
    held: 0,
    failed: 0,
  }
}

export function totalsOf(organizations: readonly OrganizationReport[]): SyncTotals {
  const directories = organizations.flatMap((organization) => organization.directories)
  return {
    organizations: organizations.length,
    skipped: organizations.filter(({ skipped }) => skipped).length,
    directories: directories.length,
    errors: [...organizations, ...directories].filter(({ error }) => error).length,
    users: sum(directories.map(({ users }) => users)),
    groups: sum(directories.map(({ groups }) => groups)),
  }
}

function sum(all: readonly Counts[]): Counts {
  const total = noCounts()
  for (const counts of all) {
    for (const name of countNames) total[name] += counts[name]
  }
  return total
}

const countNames = Object.keys(noCounts()) as (keyof Counts)[]

export function reported(error: unknown): ReportedError {
  const { errorName, errorCode } = errorFields(error)
  const { ours, networkCode } = explained(error)
  const code = ours?.code ?? errorCode ?? networkCode
  const report: ReportedError = {
    name: ours?.name ?? errorName,
    ...(code === undefined ? {} : { code }),
    ...(ours === undefined ? {} : { hint: ours.message }),
  }
  return Object.defineProperty(report, 'cause', { value: error, enumerable: false })
}

function explained(error: unknown): { ours?: SyncError | undefined; networkCode?: string | undefined } {
  try {
    const ours = error instanceof SyncError ? error : credentialsRefused(error)
    return { ours, networkCode: networkCodeOf(error) }
  } catch {
    // It is somebody else's, and may throw whatever it is asked.
    return {}
  }
}
