import type { Clock, Dispatcher, Logger } from '@scalekit-scim/core'
import {
  clockOption,
  invalid,
  loggerOption,
  numberOption,
  requireKnownNames,
} from '@scalekit-scim/core/internal'
import type { DeletionLimits } from './deletions/deletion-state.ts'
import type { DirectoryApi } from './directory-api.ts'
import type { Known } from './known.ts'
import {
  type DirectorySyncOptions,
  numbers,
  optionNames,
  type RunOptions,
  runOptionNames,
} from './options.ts'
import type { SyncReport } from './report.ts'
import type { Organizations } from './source.ts'
import { type Timetable, timetableOf } from './timetable.ts'

/** What a sync runs on: every option checked, every default in place. */
export interface SyncConfiguration {
  scalekit: DirectoryApi
  dispatcher: Dispatcher
  organizations: Organizations
  known: { users?: Known | undefined; groups?: Known | undefined }
  timetable: Timetable | undefined
  limits: DeletionLimits
  directoriesAtOnce: number
  eventsAtOnce: number
  fullEverySeconds: number
  overlapSeconds: number
  leaseSeconds: number
  onReport: ((report: SyncReport) => void) | undefined
  log: Logger
  clock: Clock
}

/** @throws ConfigurationError when an option is wrong */
export function configureSync(options: DirectorySyncOptions): SyncConfiguration {
  requireKnownNames(options, optionNames)
  const { known = {}, deletions = {}, concurrency = {} } = options
  requireKnownNames(known, ['users', 'groups'], 'known')
  requireKnownNames(deletions, ['maxCount', 'maxShare'], 'deletions')
  requireKnownNames(concurrency, ['directories', 'events'], 'concurrency')
  requireFunction('known.users', known.users)
  requireFunction('known.groups', known.groups)
  requireFunction('onReport', options.onReport)
  requireNotMistaken(options)
  requireMethods('scalekit.organization', options.scalekit?.organization, ['listOrganization'])
  requireMethods('scalekit.directory', options.scalekit?.directory, [
    'listDirectories',
    'listDirectoryUsers',
    'listDirectoryGroups',
  ])
  requireMethods('dispatcher', options.dispatcher, ['dispatch'])
  requireMethods('dispatcher.ledger', options.dispatcher.ledger, ['record', 'now'])
  requireOrder(options.dispatcher)
  requireOrganizations(options.organizations)
  const clock = clockOption(options.clock)

  return {
    scalekit: options.scalekit,
    dispatcher: options.dispatcher,
    organizations: options.organizations,
    known,
    timetable: timetableOf(options.schedule, clock),
    limits: limitsOf(deletions),
    directoriesAtOnce: wholeNumber('directories', concurrency.directories),
    eventsAtOnce: wholeNumber('events', concurrency.events),
    fullEverySeconds: numberOption('fullEverySeconds', options.fullEverySeconds, numbers.fullEverySeconds),
    overlapSeconds: numberOption('overlapSeconds', options.overlapSeconds, numbers.overlapSeconds),
    leaseSeconds: numberOption('leaseSeconds', options.leaseSeconds, numbers.leaseSeconds),
    onReport: options.onReport,
    log: loggerOption(options.logger),
    clock,
  }
}

/** @throws ConfigurationError when an option of a run is wrong */
export function checkRunOptions(options: RunOptions): void {
  requireKnownNames(options, runOptionNames)
  const { mode, dryRun, approve, organizations, signal } = options
  if (mode !== undefined && !['auto', 'full', 'incremental'].includes(mode)) {
    throw invalid('mode', "must be 'auto', 'full' or 'incremental'")
  }
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw invalid('dryRun', 'must be true or false')
  if (approve !== undefined && !isListOfTexts(approve)) {
    throw invalid('approve', 'must be a list of approvals, as a report gives them')
  }
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalid('signal', 'must be an AbortSignal')
  if (organizations !== undefined) requireOrganizations(organizations)
  requireFunction('onProgress', options.onProgress)
}

/** One that is given is the whole limit: the other's default would widen it. */
function limitsOf({ maxCount, maxShare }: NonNullable<DirectorySyncOptions['deletions']>): DeletionLimits {
  const count = numberOption('deletions.maxCount', maxCount, numbers.maxCount)
  const share = numberOption('deletions.maxShare', maxShare, numbers.maxShare)
  return {
    maxCount: maxCount === undefined && maxShare !== undefined ? 0 : count,
    maxShare: maxShare === undefined && maxCount !== undefined ? 0 : share,
  }
}

/** What says that a webhook is newer than what the sync has read is the order of a resource's events alone. */
function requireOrder({ ordering }: Dispatcher): void {
  if (ordering !== 'none') return
  throw invalid(
    'dispatcher',
    "has `ordering: 'none'`, and with it a sync would undo webhooks that are newer than what it read: leave `ordering` at 'resource'",
  )
}

function wholeNumber(name: 'directories' | 'events', value: unknown): number {
  const number = numberOption(`concurrency.${name}`, value, numbers[name])
  if (!Number.isInteger(number)) throw invalid(`concurrency.${name}`, 'must be a whole number')
  return number
}

function requireOrganizations(organizations: unknown): void {
  if (organizations === 'all' || typeof organizations === 'function' || isListOfTexts(organizations)) return
  throw invalid('organizations', "must be 'all', a list of organization ids, or a function that gives them")
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== '')
}

function requireFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw invalid(name, 'must be a function')
}

function requireNotMistaken({ scalekit, dispatcher }: { scalekit?: unknown; dispatcher?: unknown }): void {
  if (scalekit instanceof Promise) throw invalid('scalekit', 'is a promise: `await scalekitFromEnv()`')
  if (Object(dispatcher).receiver) throw invalid('dispatcher', 'is the middleware: give its `receiver`')
}

function requireMethods(name: string, value: object | undefined, methods: readonly string[]): void {
  const missing = methods.find((method) => typeof Reflect.get(Object(value), method) !== 'function')
  if (missing !== undefined) throw invalid(name, `must have the method \`${missing}\``)
}
