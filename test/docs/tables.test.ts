import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { configureReceiver } from '../../packages/core/src/config/configure.ts'
import { defaultPath } from '../../packages/core/src/config/options.ts'
import { handlerNames } from '../../packages/core/src/events/handlers.ts'
import { type Outcome, replyTo } from '../../packages/core/src/events/outcome.ts'
import { storeHints } from '../../packages/core/src/ledger/error-hints.ts'
import { runOptionNames, optionNames as syncOptionNames } from '../../packages/core/src/sync/options.ts'
import { portHints } from '../../packages/simulator/src/port.ts'
import { codeIn, headings, readDocument, tablesUnder, tableUnder } from './markdown.ts'
import { ownMembers, unionMembers } from './type-check.ts'

const readme = readDocument('README.md')
const outcomes = unionMembers('packages/core/src/events/outcome.ts', 'Outcome') as Outcome[]

test('every code of a ConfigurationError has its heading in docs/errors.md, and no heading is left over', () => {
  const codes = unionMembers('packages/core/src/base/errors.ts', 'ConfigurationErrorCode')
  const found = headings(readDocument('docs/errors.md').text).filter((heading) => heading.startsWith('ERR_'))
  expect(codes.length).toBeGreaterThan(5)
  expect(found.sort()).toEqual(codes)
})

test('every code of a store that has a mend is in the table of docs/errors.md, in the same words', () => {
  const rows = tableUnder(readDocument('docs/errors.md'), 'StoreUnavailableError')
  expect(Object.fromEntries(rows.map(([code = '', hint]) => [codeIn(code)[0], hint]))).toEqual(storeHints)
})

test("every reason of the simulator's errors is in their tables of docs/errors.md, and no other", () => {
  const sources = {
    SnapshotError: 'snapshot-error.ts',
    EnvironmentError: 'environment/errors.ts',
    DeliveryError: 'delivery/errors.ts',
  }
  for (const [name, path] of Object.entries(sources)) {
    const rows = tableUnder(readDocument('docs/errors.md'), name)
    const reasons = unionMembers(`packages/simulator/src/${path}`, `${name}Reason`)
    expect(rows.map(([reason = '']) => codeIn(reason)[0]).sort()).toEqual(reasons)
    expect(rows.every(([, cause, hint]) => cause && hint)).toBe(true)
  }
})

test('every code of a port that has a mend is in the table of docs/errors.md, in the same words', () => {
  const rows = tableUnder(readDocument('docs/errors.md'), 'PortError')
  expect(Object.fromEntries(rows.map(([code = '', hint]) => [codeIn(code)[0], hint]))).toEqual(portHints)
})

const optionRows = new Map(
  tableUnder(readme, 'Options').map(([name = '', value = '']) => [codeIn(name)[0] ?? '', value]),
)

test("the README's table of options names every option, and no other", () => {
  const options = [
    ...ownMembers('packages/core/src/config/options.ts', 'DispatcherOptions'),
    ...ownMembers('packages/core/src/config/options.ts', 'ReceiverOptions'),
    ...ownMembers('packages/express/src/index.ts', 'ScalekitScimOptions'),
    ...ownMembers('packages/fastify/src/index.ts', 'ScalekitScimOptions'),
  ]
  // Fastify's own, for every plugin.
  const expected = new Set(options.filter((name) => name !== 'prefix'))
  expect([...optionRows.keys()].sort()).toEqual([...expected].sort())
})

test("the README's table of options has the defaults that a receiver runs on", () => {
  const configured = configureReceiver({ secret: TEST_SECRET, logger: false })
  const numbers = Object.entries(configured).filter(([, value]) => typeof value === 'number')
  expect(numbers.length).toBeGreaterThan(7)
  const written = numbers.map(([name]) => [name, Number(optionRows.get(name))])
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(numbers))
  expect(codeIn(optionRows.get('ordering') ?? '')).toEqual([`'${configured.ordering}'`])
  expect(codeIn(optionRows.get('path') ?? '')).toEqual([defaultPath])
  expect(configured.ledger.guarantee).toEqual({ message: 'process', order: 'process' })
  expect(codeIn(optionRows.get('store') ?? '')).toEqual(["'memory'"])
})

test("the README's table of the sync's options names every one, and no other", () => {
  const named = tableUnder(readme, 'Directory sync').flatMap(([name = '']) => codeIn(name))
  expect(named.sort()).toEqual([...syncOptionNames].sort())
})

test("the README's tables of a pass name every option, outcome, count and reason, and no other", () => {
  const named = tablesUnder(readme, 'Running a pass').map((rows) =>
    rows.flatMap(([name = '']) => codeIn(name)),
  )
  expect(named.map((names) => names.sort())).toEqual([
    [...runOptionNames].sort(),
    ['busy', 'cancelled', 'complete', 'incomplete'],
    ownMembers('packages/core/src/sync/reporting/report.ts', 'Counts').sort(),
    unionMembers('packages/core/src/sync/reporting/report.ts', 'HeldReason'),
  ])
})

test("the README's table of handlers names every handler, and no other", () => {
  const named = tableUnder(readme, 'Handlers').flatMap(([names = '']) => codeIn(names))
  expect(named.sort()).toEqual([...handlerNames, 'on'].sort())
})

test("the README's table of a handler's context names every field, and every source of events", () => {
  const rows = tablesUnder(readme, 'Handlers')[1] ?? []
  const fields = rows.map(([name = '']) => codeIn(name)[0])
  expect(fields.sort()).toEqual(ownMembers('packages/core/src/events/handlers.ts', 'HandlerContext').sort())
  const [, sources = ''] = rows.find(([name]) => name === '`source`') ?? []
  const named = codeIn(sources).filter((code) => code.startsWith("'"))
  const known = unionMembers('packages/core/src/events/handlers.ts', 'EventSource').map((name) => `'${name}'`)
  expect(named.sort()).toEqual(known)
})

test("the simulator's table of the API's faults names every one, and no other", () => {
  const named = tableUnder(readDocument('packages/simulator/README.md'), 'Faults').flatMap(([names = '']) =>
    codeIn(names),
  )
  expect(named.sort()).toEqual(ownMembers('packages/simulator/src/api/faults.ts', 'ApiFaults').sort())
})

test("the README's table of replies is the receiver's", () => {
  const expected = outcomes.map((outcome) => {
    const { status, body } = replyTo(outcome)
    return [outcome, status, body]
  })
  const written = tableUnder(readme, 'Replies').map(([name = '', , status, body = '']) => [
    codeIn(name)[0],
    Number(status),
    codeIn(body)[0],
  ])
  expect(outcomes.length).toBeGreaterThan(20)
  expect(written.sort()).toEqual(expected.sort())
})

test('what the README says of headers of replies is so', () => {
  for (const outcome of outcomes) {
    const { status, headers } = replyTo(outcome)
    expect(headers['scalekit-scim-outcome']).toBe(outcome)
    expect(headers['retry-after']).toBe([409, 503].includes(status) ? '5' : undefined)
    expect(headers.allow).toBe(status === 405 ? 'POST' : undefined)
  }
})
