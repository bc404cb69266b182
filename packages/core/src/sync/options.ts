import type { Clock, Dispatcher, Logger } from '@scalekit-scim/core'
import type { NumberRule } from '@scalekit-scim/core/internal'
import type { Known } from './known/known-record.ts'
import type { DirectoryApi } from './reading/directory-api.ts'
import type { Organizations } from './reading/source.ts'
import type { SyncReport } from './reporting/report.ts'

export interface DirectorySyncOptions {
  /**
   * The `ScalekitClient` of @scalekit-sdk/node, for example from `scalekitFromEnv()`. An object with the same methods
   * also works.
   */
  scalekit: DirectoryApi
  /**
   * The application's dispatcher or receiver. The sync uses the same handlers, ordering and watermarks as its webhooks.
   */
  dispatcher: Dispatcher
  /** 'all' organizations of the environment, a list of organization ids, or a function that returns ids. */
  organizations: Organizations
  /**
   * Functions that return the application's records. Without these functions, the sync sends every listed record as an
   * update, and never deletes a record.
   * @default none
   */
  known?: { users?: Known | undefined; groups?: Known | undefined } | undefined
  /**
   * The times at which passes begin after `start()`.
   * @default none: only `run()` begins passes
   */
  schedule?: Schedule | undefined
  /**
   * How many of a directory's users, or groups, the sync deletes within 24 hours without an approval. The limit is a
   * count, or a share of the records. If you set a count and a share, the greater limit applies. Within 30 days, the
   * limit is twice the count or four times the share. The limit is never more than half of the records. If deletions
   * exceed a limit, the sync holds them. A wider limit does not release held records.
   * @default 20 records or 0.05, whichever is greater. With this limit, usual staff turnover does not need an approval.
   *   A wrong filter can delete only a few records
   */
  deletions?: { maxCount?: number | undefined; maxShare?: number | undefined } | undefined
  /**
   * How many directories the sync reads at the same time, and how many events run at the same time across all
   * directories. The sync reads the directories of one organization one after another.
   * @default 4 directories and 8 events
   */
  concurrency?: { directories?: number | undefined; events?: number | undefined } | undefined
  /**
   * The number of seconds after a full pass until a directory gets another full pass. A full pass reads all records.
   * Only a full pass detects deletions. The first pass after a start is also full. After a pass with failed events or
   * undecided deletions, up to three consecutive passes are full.
   * @default 86400 (a day)
   */
  fullEverySeconds?: number | undefined
  /**
   * An incremental pass reads the changes since the start of the last pass, minus this many seconds.
   * @default 300 (clocks differ by less, and late changes become visible within this time)
   */
  overlapSeconds?: number | undefined
  /**
   * If a process crashes during a pass, another process can begin a pass after this many seconds. After each third of
   * this time, a running pass renews its lease.
   * @default 60
   */
  leaseSeconds?: number | undefined
  /**
   * The sync calls this function with the report of each pass, including scheduled passes. The sync ignores errors of
   * this function.
   */
  onReport?: ((report: SyncReport) => void) | undefined
  /**
   * pino, `console`, Fastify's logger, or any object with at least one of the methods `debug`, `info`, `warn` and
   * `error`. `false` turns logging off.
   * @default warnings and errors on the console
   */
  logger?: Partial<Logger> | false | undefined
  /** Replaces the system's time and timers in tests. */
  clock?: Clock | undefined
}

export type Schedule = (
  | { everySeconds: number; cron?: undefined; timezone?: undefined }
  | {
      /** A cron expression of five fields, or of six fields with seconds first. */
      cron: string
      /** An IANA name, such as 'Europe/Berlin'. @default the time zone of the process */
      timezone?: string | undefined
      everySeconds?: undefined
    }
) & {
  /**
   * The maximum random delay of a pass, in seconds. With the delay, different applications call the API at different
   * times.
   * @default a tenth of `everySeconds`; with `cron`, 30
   */
  jitterSeconds?: number | undefined
  /** Whether the first pass begins with `start()`. @default true */
  runAtStart?: boolean | undefined
}

export interface RunOptions {
  /**
   * - 'full' reads all records. Only this mode detects deletions.
   * - 'incremental' reads the changes since a directory's last complete pass. Before the first complete pass, the mode
   *   reads all records.
   * - 'auto' is full for the first pass after a start, and then once every `fullEverySeconds`.
   * @default 'auto'
   */
  mode?: 'auto' | 'full' | 'incremental' | undefined
  /**
   * Reports what a pass would do. A dry run does not call handlers or store deletions.
   * @default false
   */
  dryRun?: boolean | undefined
  /**
   * Approvals of held deletions, from an earlier report or a dry run. A run with approvals is a full pass. An approval
   * is valid for 7 days after this run. If you pass the approval to a later run, the 7 days begin again. If an approval
   * matches no held deletions, `unusedApprovals` of the report contains it.
   * @default none
   */
  approve?: readonly string[] | undefined
  /**
   * Replaces the sync's `organizations` for this run, for example to read only a new customer.
   * @default the `organizations` of the sync
   */
  organizations?: Organizations | undefined
  /** When this signal aborts, the pass ends early. The pass still waits for running events. */
  signal?: AbortSignal | undefined
  /**
   * The sync calls this function after each page, so the function should be fast. The sync ignores errors of this
   * function.
   */
  onProgress?: ((progress: SyncProgress) => void) | undefined
}

export interface StopOptions {
  /**
   * How long running events may take to finish, in seconds. Even if events are still running, the pass ends after that
   * time.
   * @default 10
   */
  graceSeconds?: number | undefined
}

/** The progress of a pass. */
export interface SyncProgress {
  organizations: number
  directories: number
  directoriesDone: number
  /**
   * The number of records that the pass has read. If the pass reads a directory twice, each of its records counts
   * twice.
   */
  seen: number
  /** The number of records that the API has reported for the directories, counted in the same way. */
  totalSize: number
}

/** The default and the valid range of each number. */
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
