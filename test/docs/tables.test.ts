import { createReceiver } from '@scalekit-scim/core'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { configureReceiver } from '../../packages/core/src/config/configure.ts'
import { defaultPath } from '../../packages/core/src/config/options.ts'
import { directoryEventTypes } from '../../packages/core/src/events/directory-events.ts'
import type { Outcome } from '../../packages/core/src/events/outcome.ts'
import { handlerNames } from '../../packages/core/src/events/router.ts'
import { storeHints } from '../../packages/core/src/ledger/error-hints.ts'
import { replyTo } from '../../packages/core/src/receive/reply.ts'
import { runOptionNames, optionNames as syncOptionNames } from '../../packages/core/src/sync/options.ts'
import { portHints } from '../../packages/simulator/src/port.ts'
import { codeIn, headings, readDocument, tablesUnder, tableUnder } from './markdown.ts'
import { ownMembers, unionMembers } from './type-check.ts'

const options = readDocument('docs/reference/options.md')
const handlers = readDocument('docs/reference/handlers.md')
const events = readDocument('docs/reference/events.md')
const replies = readDocument('docs/reference/outcomes.md')
const errors = readDocument('docs/errors.md')
const simulator = readDocument('docs/simulator/index.md')
const outcomes = unionMembers('packages/core/src/events/outcome.ts', 'Outcome') as Outcome[]

test('docs/errors.md has a heading for every code of a ConfigurationError, and no other', () => {
  const codes = unionMembers('packages/core/src/base/errors.ts', 'ConfigurationErrorCode')
  const found = headings(errors.text).filter((heading) => heading.startsWith('ERR_'))
  expect(codes.length).toBeGreaterThan(5)
  expect(found.sort()).toEqual(codes)
})

test('docs/errors.md lists every code of a SyncError, and no other', () => {
  const found = firstCodes(tableUnder(errors, 'SyncError'))
  expect(found.sort()).toEqual(unionMembers('packages/core/src/sync/sync-error.ts', 'SyncErrorCode'))
})

test('docs/errors.md lists every reason of a BodyError, and no other', () => {
  const found = firstCodes(tableUnder(errors, 'BodyError'))
  expect(found.sort()).toEqual(unionMembers('packages/core/src/base/errors.ts', 'BodyErrorReason'))
})

test('docs/errors.md has the hint of every known error code of a store, in the same words', () => {
  const rows = tablesUnder(errors, 'StoreUnavailableError')[1] ?? []
  expect(Object.fromEntries(rows.map(([code = '', hint]) => [codeIn(code)[0], hint]))).toEqual(storeHints)
})

test("docs/errors.md lists every reason of the simulator's errors, and no other", () => {
  const sources = {
    SnapshotError: 'persistence/snapshot-file.ts',
    EnvironmentError: 'environment/records.ts',
    DeliveryError: 'delivery/messages.ts',
  }
  for (const [name, path] of Object.entries(sources)) {
    const rows = tableUnder(errors, name)
    const reasons = unionMembers(`packages/simulator/src/${path}`, `${name}Reason`)
    expect(firstCodes(rows).sort()).toEqual(reasons)
    expect(rows.every(([, cause, hint]) => cause && hint)).toBe(true)
  }
})

test('docs/errors.md has the hint of every known error code of a port, in the same words', () => {
  const rows = tableUnder(errors, 'PortError')
  expect(Object.fromEntries(rows.map(([code = '', hint]) => [codeIn(code)[0], hint]))).toEqual(portHints)
})

const optionRows = new Map(
  ['Requests', 'Store and order', 'Logging and tests', 'Express and Fastify']
    .flatMap((heading) => tableUnder(options, heading))
    .map(([name = '', value = '']) => [codeIn(name)[0] ?? '', value]),
)

test('the tables of options name every option, and no other', () => {
  const declared = [
    ...ownMembers('packages/core/src/config/options.ts', 'DispatcherOptions'),
    ...ownMembers('packages/core/src/config/options.ts', 'ReceiverOptions'),
    ...ownMembers('packages/core/src/receive/receiver-from.ts', 'AdapterOptions'),
    ...ownMembers('packages/express/src/index.ts', 'ScalekitScimOptions'),
    ...ownMembers('packages/fastify/src/index.ts', 'ScalekitScimOptions'),
  ]
  // Every Fastify plugin has this option.
  const expected = new Set(declared.filter((name) => name !== 'prefix'))
  expect([...optionRows.keys()].sort()).toEqual([...expected].sort())
})

test('the tables of options have the defaults that a receiver uses', () => {
  const configured = configureReceiver({ secret: TEST_SECRET, logger: false })
  const numbers = Object.entries(configured).filter(([, value]) => typeof value === 'number')
  expect(numbers.length).toBeGreaterThan(7)
  const written = numbers.map(([name]) => [name, Number(optionRows.get(name))])
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(numbers))
  expect(codeIn(optionRows.get('ordering') ?? '')).toEqual([`'${configured.ordering}'`])
  expect(codeIn(optionRows.get('path') ?? '')).toEqual([defaultPath])
  expect(createReceiver({ secret: TEST_SECRET, logger: false }).guarantee).toEqual({
    message: 'process',
    order: 'process',
  })
  expect(codeIn(optionRows.get('store') ?? '')).toEqual(["'memory'"])
})

test.each([
  ['docs/reference/options.md', 'Sync options'],
  ['docs/sync/index.md', 'Options'],
])('the table of the options of the sync in %s names every option, and no other', (path, heading) => {
  expect(firstCodes(tableUnder(readDocument(path), heading)).sort()).toEqual([...syncOptionNames].sort())
})

test.each([
  ['docs/reference/options.md', 'Run options'],
  ['docs/sync/reports.md', 'Options of a run'],
])('the table of the options of a pass in %s names every option, and no other', (path, heading) => {
  expect(firstCodes(tableUnder(readDocument(path), heading)).sort()).toEqual([...runOptionNames].sort())
})

test('the table of modes names every mode, and no other', () => {
  const modes = tablesUnder(options, 'Run options')[1] ?? []
  expect(firstCodes(modes)).toEqual(["'full'", "'incremental'", "'auto'"])
})

test("the table of the simulator's options names every option, and no other", () => {
  const named = tableUnder(simulator, 'Options').flatMap(([names = '']) => codeIn(names))
  expect(named.sort()).toEqual(ownMembers('packages/simulator/src/options.ts', 'SimulatorOptions').sort())
})

test.each([
  ['Outcomes', ['busy', 'cancelled', 'complete', 'incomplete']],
  ['Counts', ownMembers('packages/core/src/sync/reporting/report.ts', 'Counts').sort()],
  [
    'Reasons why deletions are held',
    unionMembers('packages/core/src/sync/reporting/report.ts', 'HeldReason'),
  ],
])("the table under %s of the page of the sync's report is complete", (heading, names) => {
  const named = tableUnder(readDocument('docs/sync/reports.md'), heading).flatMap(([name = '']) =>
    codeIn(name),
  )
  expect(named.sort()).toEqual(names)
})

test('the table of handlers names every handler, and no other', () => {
  const named = tableUnder(handlers, 'All handlers').flatMap(([names = '']) => codeIn(names))
  expect(named.sort()).toEqual([...handlerNames, 'on'].sort())
})

test("the table of a handler's context names every field, and every source of events", () => {
  const rows = tableUnder(handlers, 'The context')
  const declared = ownMembers('packages/core/src/events/handlers.ts', 'HandlerContext')
  expect(firstCodes(rows).sort()).toEqual(declared.sort())
  const [, sources = ''] = rows.find(([name]) => name === '`source`') ?? []
  const named = codeIn(sources).filter((code) => code.startsWith("'"))
  const known = unionMembers('packages/core/src/events/handlers.ts', 'EventSource').map((name) => `'${name}'`)
  expect(named.sort()).toEqual(known)
})

test('the table of event types names every type of a directory event, and no other', () => {
  expect(firstCodes(tableUnder(events, 'Event types')).sort()).toEqual([...directoryEventTypes].sort())
})

test.each([
  ['User', 'DirectoryUser'],
  ['Group', 'DirectoryGroup'],
  ['Directory', 'Directory'],
])('the table under %s names every field of the type %s, and no other', (heading, type) => {
  const named = tableUnder(events, heading).flatMap(([names = '']) => codeIn(names))
  expect(named.sort()).toEqual(ownMembers('packages/core/src/events/events.ts', type).sort())
})

test("the tables of the simulator's faults name every fault, and no other", () => {
  const namedUnder = (heading: string) =>
    tableUnder(simulator, heading)
      .flatMap(([names = '']) => codeIn(names))
      .sort()
  expect(namedUnder('The API')).toEqual(
    ownMembers('packages/simulator/src/api/faults.ts', 'ApiFaults').sort(),
  )
  const webhookFaults = ownMembers('packages/simulator/src/delivery/faults.ts', 'WebhookFaults')
  expect(namedUnder('Deliveries')).toEqual(webhookFaults.sort())
})

test('the table of replies has the status and the body of every outcome', () => {
  const expected = outcomes.map((outcome) => {
    const { status, body } = replyTo(outcome)
    return [outcome, status, body]
  })
  const written = tableUnder(replies, 'Replies').map(([name = '', , status, body = '']) => [
    codeIn(name)[0],
    Number(status),
    codeIn(body)[0],
  ])
  expect(outcomes.length).toBeGreaterThan(20)
  expect(written.sort()).toEqual(expected.sort())
})

test('the list of the outcomes of `dispatch()` is complete', () => {
  const [, list = ''] = /one of the outcomes of an event: (.+)\./.exec(replies.text) ?? []
  const names = unionMembers('packages/core/src/events/outcome.ts', 'DispatchOutcomeName')
  expect(codeIn(list).sort()).toEqual(names)
})

test('the table of the outcome report names every field, and no other', () => {
  const fields = ownMembers('packages/core/src/events/outcome.ts', 'OutcomeReport')
  expect(firstCodes(tableUnder(replies, 'The outcome report')).sort()).toEqual(fields.sort())
})

test('the table of reasons names every reason of an invalid signature, and no other', () => {
  const reasons = unionMembers('packages/core/src/verification/signature.ts', 'VerificationFailure')
  expect(firstCodes(tableUnder(replies, 'Reasons of an invalid signature')).sort()).toEqual(reasons)
})

test('replies have the headers that the page of replies names', () => {
  for (const outcome of outcomes) {
    const { status, headers } = replyTo(outcome)
    expect(headers['scalekit-scim-outcome']).toBe(outcome)
    expect(headers['retry-after']).toBe([409, 503].includes(status) ? '5' : undefined)
    expect(headers.allow).toBe(status === 405 ? 'POST' : undefined)
  }
})

/** Returns the first name in backticks of each row. */
function firstCodes(rows: string[][]): string[] {
  return rows.map(([cell = '']) => codeIn(cell)[0] ?? '')
}
