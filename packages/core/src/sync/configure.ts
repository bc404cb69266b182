import type { Dispatcher } from '@scalekit-scim/core'
import {
  clockOption,
  invalid,
  loggerOption,
  numberOption,
  numberOptions,
  requireKnownNames,
} from '@scalekit-scim/core/internal'
import type { DeletionLimits } from './deletions/deletion-state.ts'
import {
  type DirectorySyncOptions,
  numbers,
  optionNames,
  type RunOptions,
  runOptionNames,
} from './options.ts'
import { timetableOf } from './scheduling/timetable.ts'

/** The checked options, with all defaults. */
export type SyncConfiguration = ReturnType<typeof configureSync>

/** @throws ConfigurationError if an option is invalid */
export function configureSync(options: DirectorySyncOptions) {
  requireKnownNames(options, optionNames)
  const { scalekit, dispatcher, organizations, known = {}, deletions = {}, concurrency = {} } = options
  requireKnownNames(known, ['users', 'groups'], 'known')
  requireKnownNames(deletions, ['maxCount', 'maxShare'], 'deletions')
  requireKnownNames(concurrency, ['directories', 'events'], 'concurrency')
  requireFunction('known.users', known.users)
  requireFunction('known.groups', known.groups)
  requireFunction('onReport', options.onReport)
  requireApi(scalekit)
  requireDispatcher(dispatcher)
  requireOrganizations(organizations)
  const clock = clockOption(options.clock)
  const { fullEverySeconds, overlapSeconds, leaseSeconds } = numbers
  return {
    scalekit,
    dispatcher,
    organizations,
    known,
    timetable: timetableOf(options.schedule, clock),
    limits: limitsOf(deletions),
    directoriesAtOnce: wholeNumber('directories', concurrency.directories),
    eventsAtOnce: wholeNumber('events', concurrency.events),
    ...numberOptions(options, { fullEverySeconds, overlapSeconds, leaseSeconds }),
    onReport: options.onReport,
    log: loggerOption(options.logger),
    clock,
  }
}

/** @throws ConfigurationError if an option of `run()` is invalid */
export function checkRunOptions(options: RunOptions): void {
  requireKnownNames(options, runOptionNames)
  const { mode, dryRun, approve, organizations, signal, onProgress } = options
  if (mode !== undefined && !['auto', 'full', 'incremental'].includes(mode)) {
    throw invalid('mode', "must be 'auto', 'full' or 'incremental'")
  }
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw invalid('dryRun', 'must be true or false')
  if (approve !== undefined && !isListOfTexts(approve)) {
    throw invalid('approve', 'must be a list of approvals from a report')
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalid('signal', 'must be an AbortSignal')
  }
  if (organizations !== undefined) requireOrganizations(organizations)
  requireFunction('onProgress', onProgress)
}

/**
 * If only one of the two limits is set, the default of the other limit does not apply, because it would widen the limit.
 */
function limitsOf({ maxCount, maxShare }: NonNullable<DirectorySyncOptions['deletions']>): DeletionLimits {
  const count = numberOption('deletions.maxCount', maxCount, numbers.maxCount)
  const share = numberOption('deletions.maxShare', maxShare, numbers.maxShare)
  return {
    maxCount: maxCount === undefined && maxShare !== undefined ? 0 : count,
    maxShare: maxShare === undefined && maxCount !== undefined ? 0 : share,
  }
}

function wholeNumber(name: 'directories' | 'events', value: unknown): number {
  const number = numberOption(`concurrency.${name}`, value, numbers[name])
  if (!Number.isInteger(number)) throw invalid(`concurrency.${name}`, 'must be a whole number')
  return number
}

function requireApi(scalekit: unknown): void {
  if (scalekit === undefined) throw invalid('scalekit', 'is missing: `await scalekitFromEnv()`')
  if (scalekit instanceof Promise) throw invalid('scalekit', 'is a promise: `await scalekitFromEnv()`')
  requireMethods('scalekit.organization', Object(scalekit).organization, ['listOrganization'])
  const methods = ['listDirectories', 'listDirectoryUsers', 'listDirectoryGroups']
  requireMethods('scalekit.directory', Object(scalekit).directory, methods)
}

/**
 * Requires a dispatcher that orders the events of a resource. Without this order, the sync could overwrite a newer
 * webhook with an older record from the API.
 */
function requireDispatcher(dispatcher: Dispatcher): void {
  if (dispatcher === undefined) {
    throw invalid('dispatcher', 'is missing: pass the receiver, or `createDispatcher(…)`')
  }
  if (Object(dispatcher).receiver) throw invalid('dispatcher', 'is the middleware: pass its `receiver`')
  requireMethods('dispatcher', dispatcher, ['dispatch'])
  requireMethods('dispatcher.ledger', dispatcher.ledger, ['record', 'now'])
  if (dispatcher.ordering !== 'none') return
  throw invalid(
    'dispatcher',
    "has `ordering: 'none'`, so the sync would undo newer webhooks: leave `ordering` at 'resource'",
  )
}

function requireOrganizations(organizations: unknown): void {
  if (organizations === 'all' || typeof organizations === 'function' || isListOfTexts(organizations)) return
  throw invalid('organizations', "must be 'all', a list of organization ids, or a function that returns ids")
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== '')
}

function requireFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw invalid(name, 'must be a function')
}

function requireMethods(name: string, value: unknown, methods: readonly string[]): void {
  const missing = methods.find((method) => typeof Reflect.get(Object(value), method) !== 'function')
  if (missing !== undefined) throw invalid(name, `must have the method \`${missing}\``)
}
