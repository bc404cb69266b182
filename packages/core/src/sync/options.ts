import type { Clock, Dispatcher, Logger } from '@scalekit-scim/core'
import type { NumberRule } from '@scalekit-scim/core/internal'
import type { Known } from './known/known-record.ts'
import type { DirectoryApi } from './reading/directory-api.ts'
import type { Organizations } from './reading/source.ts'
import type { SyncReport } from './reporting/report.ts'

export interface DirectorySyncOptions {
  /** The `ScalekitClient` of @scalekit-sdk/node, for example from `scalekitFromEnv()`, or an object of the same shape. */
  scalekit: DirectoryApi
  /** The application's dispatcher or receiver. The sync uses the handlers, the order and the watermarks of its webhooks. */
  dispatcher: Dispatcher
  /** 'all' of the environment, a list of ids, or a function that returns ids. */
  organizations: Organizations
  /**
   * The application's records. Without it every listed record is an update, and nothing is ever deleted.
   * @default none
   */
  known?: { users?: Known | undefined; groups?: Known | undefined } | undefined
  /**
   * When passes begin after `start()`.
   * @default none: only `run()` begins passes
   */
  schedule?: Schedule | undefined
  /**
   * How many of a directory's users, or groups, the sync deletes within 24 hours without an approval: a count, or a share
   * of the records. If both are given, the greater one applies. Within 30 days the limit is twice the count or four times
   * the share, and never more than half of the records. Deletions over a limit are held. A wider limit does not release
   * held records.
   * @default 20 records or 0.05, whichever is more: 1 % a day needs no approval, and a wrong filter deletes few
   */
  deletions?: { maxCount?: number | undefined; maxShare?: number | undefined } | undefined
  /**
   * How many directories are read at the same time, and how many events run at the same time over all of them.
   * Directories of one organization are read one after the other.
   * @default 4 directories and 8 events
   */
  concurrency?: { directories?: number | undefined; events?: number | undefined } | undefined
  /**
   * Seconds until a directory is read whole again. Only such a full pass finds deletions. The first pass after a start is
   * full, too. After a pass that left something unfinished, up to three consecutive passes are full.
   * @default 86400 (a day)
   */
  fullEverySeconds?: number | undefined
  /**
   * Seconds before the start of the last pass from which an incremental pass reads changes.
   * @default 300: more than clocks are apart, and enough for changes that become visible late
   */
  overlapSeconds?: number | undefined
  /**
   * Seconds until another process takes over from a pass that died. Renewed after each third.
   * @default 60
   */
  leaseSeconds?: number | undefined
  /** Called with the report of each pass, including scheduled ones. Its errors are ignored. */
  onReport?: ((report: SyncReport) => void) | undefined
  /**
   * pino, `console`, Fastify's logger, or any object with some of their four methods. `false` turns logging off.
   * @default warnings and errors on the console
   */
  logger?: Partial<Logger> | false | undefined
  /** The time and the timers, for tests. */
  clock?: Clock | undefined
}

export type Schedule = (
  | { everySeconds: number; cron?: undefined; timezone?: undefined }
  | {
      /** Five fields, or six with seconds first. */
      cron: string
      /** An IANA name, such as 'Europe/Berlin'. @default the process's */
      timezone?: string | undefined
      everySeconds?: undefined
    }
) & {
  /**
   * The longest random delay of a pass, so that not all applications call the API at the same time.
   * @default a tenth of `everySeconds`; with `cron`, 30
   */
  jitterSeconds?: number | undefined
  /** Whether the first pass begins with `start()`. @default true */
  runAtStart?: boolean | undefined
}

export interface RunOptions {
  /**
   * - 'full' reads everything. Only this mode finds deletions.
   * - 'incremental' reads the changes since a directory's last complete pass. Without such a pass it reads everything.
   * - 'auto' is full for the first pass after a start, and then every `fullEverySeconds`.
   * @default 'auto'
   */
  mode?: 'auto' | 'full' | 'incremental' | undefined
  /** Reports what a pass would do. Runs no handler, and stores nothing about deletions. @default false */
  dryRun?: boolean | undefined
  /**
   * Approvals of held deletions, from an earlier report or a dry run. They make the pass a full one. Each is valid for 7
   * days from this run on. Given again, it is valid for 7 days more. `unusedApprovals` of the report has those that
   * matched nothing.
   * @default none
   */
  approve?: readonly string[] | undefined
  /** Other organizations than the sync's own, for example a new customer. @default those of the sync */
  organizations?: Organizations | undefined
  /** Ends the pass early. The pass waits for running events. */
  signal?: AbortSignal | undefined
  /** Called after each page, so it should be fast. Its errors are ignored. */
  onProgress?: ((progress: SyncProgress) => void) | undefined
}

export interface StopOptions {
  /** Seconds that running events have to finish. Then the pass ends without them. @default 10 */
  graceSeconds?: number | undefined
}

/** The progress of a pass. */
export interface SyncProgress {
  organizations: number
  directories: number
  directoriesDone: number
  /** Records read. A second walk counts its records again. */
  seen: number
  /** The number of records that the walks begun so far announce. */
  totalSize: number
}

/** Every default, with its valid range. */
export const numbers = {
  maxCount: { default: 20, min: 0, max: Number.MAX_SAFE_INTEGER },
  maxShare: { default: 0.05, min: 0, max: 1 },
  directories: { default: 4, min: 1, max: 100 },
  events: { default: 8, min: 1, max: 1000 },
  fullEverySeconds: { default: 86_400, min: 1, max: 31 * 86_400 },
  overlapSeconds: { default: 300, min: 0, max: 86_400 },
  leaseSeconds: { default: 60, min: 0.05, max: 3600 },
  graceSeconds: { default: 10, min: 0, max: 3600 },
} as const satisfies Record<string, NumberRule>

export const optionNames = [
  'scalekit',
  'dispatcher',
  'organizations',
  'known',
  'schedule',
  'deletions',
  'concurrency',
  'fullEverySeconds',
  'overlapSeconds',
  'leaseSeconds',
  'onReport',
  'logger',
  'clock',
] as const satisfies (keyof DirectorySyncOptions)[]

export const runOptionNames = [
  'mode',
  'dryRun',
  'approve',
  'organizations',
  'signal',
  'onProgress',
] as const satisfies (keyof RunOptions)[]
