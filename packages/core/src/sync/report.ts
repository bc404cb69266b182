import { errorFields } from '@scalekit-scim/core'
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
  /** Not listed any more, and not deleted: see `held`. */
  held: number
  /** The handler or the store failed; the next pass brings them again. */
  failed: number
}

/**
 * Why deletions were not applied. A person may approve where the directory is believed and the number is not:
 * 'nothing-listed' (the directory lists nothing at all), 'over-half', 'over-limit'. 'unsettled': the directory changed
 * while it was read, or lied about its size, or the organization got another. 'directory-disabled': it was switched off
 * meanwhile. 'directory-removed', which a person may approve too: `known` says that these are of a directory which the
 * organization does not have any more. 'several-directories': it has more than one, and `known` did not say whose these
 * are.
 *
 * After all but the last two the next pass is a full one, so that what is held stays in the reports until it is settled.
 */
export type HeldReason =
  | 'nothing-listed'
  | 'over-half'
  | 'over-limit'
  | 'directory-removed'
  | 'several-directories'
  | 'unsettled'
  | 'directory-disabled'

export interface HeldDeletions {
  kind: 'user' | 'group'
  reason: HeldReason
  count: number
  /** For `run({ approve: [approval] })`, which applies exactly these. Only where a person may decide. */
  approval?: string
  /** The first thousand of them, sorted. */
  ids: readonly string[]
}

/** What failed, by its class and code: a message may hold personal data. */
export interface ReportedError {
  name: string
  code?: string
  /** What is wrong and how to mend it, of a {@link SyncError}: such words hold no personal data. */
  mend?: string
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
  /** Of `approve`, those that name no deletions that are to be made: used before, mistyped, or of a set that has changed. */
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
    ...(ours === undefined ? {} : { mend: ours.message }),
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
