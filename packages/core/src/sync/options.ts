import type { Clock, Dispatcher, Logger } from '@scalekit-scim/core'
import type { NumberRule } from '@scalekit-scim/core/internal'
import type { DirectoryApi } from './directory-api.ts'
import type { Known } from './known.ts'
import type { SyncReport } from './report.ts'
import type { Organizations } from './source.ts'

export interface DirectorySyncOptions {
  /** A `ScalekitClient` of @scalekit-sdk/node, as `scalekitFromEnv()` gives it, or anything of its shape. */
  scalekit: DirectoryApi
  /** The application's dispatcher, or its receiver, which is one: the webhooks' own handlers, turns and watermarks. */
  dispatcher: Dispatcher
  /** 'all' of the environment, a list of ids, or a function that gives them. */
  organizations: Organizations
  /**
   * What the application has. Without it every record is an update, and nothing is ever deleted.
   * @default none
   */
  known?: { users?: Known | undefined; groups?: Known | undefined } | undefined
  /**
   * When passes begin, for `start()`.
   * @default none: passes begin with `run()` alone
   */
  schedule?: Schedule | undefined
  /**
   * How many of a directory's users, or groups, the sync deletes within 24 hours without an approval: a count, or a
   * share of the records. If both are given, the greater applies. Within 30 days it is twice the count or four times the
   * share, and never over half of the records. What exceeds a limit is held. A wider limit releases no held records.
   * @default 20 records or 0.05, whichever is more: 1 % a day never asks, and a wrong filter deletes few
   */
  deletions?: { maxCount?: number | undefined; maxShare?: number | undefined } | undefined
  /**
   * The most directories that are read at a time, and the most events that run at a time over all of them. Directories
   * of one organization are read one after the other.
   * @default 4 directories and 8 events
   */
  concurrency?: { directories?: number | undefined; events?: number | undefined } | undefined
  /**
   * Seconds until a directory is read whole again. Only such a full pass finds deletions. The first pass after a start is
   * full, and so is one after a pass that left something open, three times in a row at most.
   * @default 86400 (a day)
   */
  fullEverySeconds?: number | undefined
  /**
   * How far an incremental pass reaches back before the last one's start.
   * @default 300 — beyond clocks that are apart, and records that become visible late
   */
  overlapSeconds?: number | undefined
  /**
   * Seconds until another process takes over from a pass that died; renewed every third.
   * @default 60
   */
  leaseSeconds?: number | undefined
  /** Called with the report of each pass, of a scheduled one too. What it throws is ignored. */
  onReport?: ((report: SyncReport) => void) | undefined
  /**
   * pino, `console`, Fastify's, or anything with some of their four methods; `false` for silence.
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
   * At most so many seconds later, by chance, so that applications do not all ask at once.
   * @default a tenth of `everySeconds`; with `cron`, 30
   */
  jitterSeconds?: number | undefined
  /** Whether the first pass begins with `start()`. @default true */
  runAtStart?: boolean | undefined
}

export interface RunOptions {
  /**
   * 'full' reads everything, and is the only mode that finds deletions. 'incremental' reads what has changed since a
   * directory's last good pass, and everything if there was none. 'auto' is full for the first pass after a start and
   * then every `fullEverySeconds`.
   * @default 'auto'
   */
  mode?: 'auto' | 'full' | 'incremental' | undefined
  /** Only reports what would be done: runs no handler, and writes nothing about deletions. @default false */
  dryRun?: boolean | undefined
  /**
   * Approvals of held deletions, from an earlier report or a dry run's. Makes the pass a full one. Each is valid for 7
   * days from this run on; given again, for 7 days more. The report's `unusedApprovals` lists those that named nothing.
   * @default none
   */
  approve?: readonly string[] | undefined
  /** Other organizations than the sync's own: one that joins, say. */
  organizations?: Organizations | undefined
  /** Ends the pass early; events that have begun are waited for. */
  signal?: AbortSignal | undefined
  /** Called after each page, so it should be quick. What it throws is ignored. */
  onProgress?: ((progress: SyncProgress) => void) | undefined
}

export interface StopOptions {
  /** Seconds that the events which have begun have to finish; then the pass ends without them. @default 10 */
  graceSeconds?: number | undefined
}

/** How far a pass has come. */
export interface SyncProgress {
  organizations: number
  directories: number
  directoriesDone: number
  /** Records read; those of a second walk count again. */
  seen: number
  /** Of how many, as the walks that have begun say. */
  totalSize: number
}

/** Every default, with the range that makes sense. */
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
