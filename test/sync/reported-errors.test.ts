import { inspect } from 'node:util'
import {
  createDirectorySync,
  formatReport,
  type Known,
  type SyncReport,
  scalekitFromEnv,
} from '@scalekit-scim/core/sync'
import { createSimulator } from '@scalekit-scim/simulator'
import { ScalekitClient } from '@scalekit-sdk/node'
import { expect, onTestFinished, test } from 'vitest'
import { reported } from '../../packages/core/src/sync/reporting/reported-error.ts'
import { application } from '../support/application.ts'
import { recordingLogger } from '../support/log.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

async function passWith(known: Known) {
  const logger = recordingLogger()
  const sync = createDirectorySync({
    scalekit: new TestApi(new TestDirectory('org_1', people(2))),
    dispatcher: application().dispatcher,
    organizations: 'all',
    known: { users: known },
    logger,
  })
  const report = await sync.run()
  return { report, error: errorIn(report), logger }
}

function errorIn(report: SyncReport) {
  return report.organizations[0]?.directories[0]?.error
}

function errorsOf({ lines }: ReturnType<typeof recordingLogger>) {
  return lines.filter(({ level }) => level === 'error')
}

test('the report has the error itself, but a log, JSON or copy of the report does not', async () => {
  const thrown = new Error('relation "accounts" does not exist')
  const { report, error, logger } = await passWith(() => {
    throw thrown
  })
  expect(error?.cause).toBe(thrown)
  for (const text of [
    JSON.stringify(report),
    JSON.stringify({ ...error }),
    formatReport(report),
    logger.text(),
    inspect(report, { depth: 9 }),
    inspect(structuredClone(report), { depth: 9, showHidden: true }),
  ]) {
    expect(text).not.toContain('accounts')
  }
  expect(errorsOf(logger)).toMatchObject([{ fields: { name: 'Error' } }])
})

test('any thrown value is the cause', async () => {
  const { error } = await passWith(() => Promise.reject('gone'))
  expect(error).toEqual({ name: 'string' })
  expect(error?.cause).toBe('gone')
})

test('failed events are logged like webhooks, at most ten per walk', async () => {
  const app = application()
  app.before = () => {
    throw new RangeError('no room for ada@example.com')
  }
  const logger = recordingLogger()
  const sync = createDirectorySync({
    scalekit: new TestApi(new TestDirectory('org_1', people(12))),
    dispatcher: app.dispatcher,
    organizations: 'all',
    logger,
  })
  const { totals } = await sync.run()
  expect(totals.users.failed).toBe(12)
  const [first, ...others] = errorsOf(logger)
  expect(first?.fields).toEqual({
    outcome: 'handler-failed',
    type: 'organization.directory.user_updated',
    organizationId: 'org_1',
    resourceId: 'diruser_0',
    errorName: 'RangeError',
    errorAt: expect.stringContaining('reported-errors.test.ts'),
  })
  expect(others).toHaveLength(10)
  expect(others.at(-1)?.fields).toMatchObject({ failed: 12 })
  expect(logger.text()).not.toContain('ada')
})

test('the problem of a record of `known` is in the report, the log and the formatted report', async () => {
  const known = () => [{ id: 'diruser_0', occurredAt: Object(new Date()) }]
  const { report, error, logger } = await passWith(known)
  const hint = expect.stringContaining('`occurredAt` of type Date')
  expect(error).toMatchObject({ name: 'SyncError', code: 'ERR_SCIM_KNOWN_INVALID', hint })
  expect(errorsOf(logger)).toMatchObject([{ fields: { hint } }])
  expect(formatReport(report)).toEqual(hint)
})

test.each([
  { wrong: 'id', variable: 'SCALEKIT_CLIENT_ID' },
  { wrong: 'secret', variable: 'SCALEKIT_CLIENT_SECRET' },
])('a client $wrong that Scalekit refuses is reported with a hint', async ({ variable }) => {
  const simulator = await createSimulator()
  onTestFinished(() => simulator.close())
  const sync = createDirectorySync({
    scalekit: await scalekitFromEnv({ ...simulator.variables, [variable]: 'skc_of_somebody_else' }),
    dispatcher: application().dispatcher,
    organizations: 'all',
    logger: false,
  })
  const report = await sync.run()
  expect(report).toMatchObject({
    outcome: 'incomplete',
    error: {
      name: 'SyncError',
      code: 'ERR_SCIM_API_CREDENTIALS',
      hint: expect.stringContaining('Compare SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET'),
    },
  })
  expect(report.error?.cause).toMatchObject({ name: 'AxiosError' })
  expect(JSON.stringify(report)).not.toContain('somebody')
})

// The SDK retries for some seconds by itself.
test.concurrent.each([
  { url: 'http://127.0.0.1:9', code: 'ECONNREFUSED' },
  { url: 'http://localhost:9', code: 'ECONNREFUSED' },
  { url: 'http://nowhere.invalid', code: 'ENOTFOUND' },
])("an unreachable API at $url is reported with the network's code", async ({ url, code }) => {
  const client = new ScalekitClient(url, 'skc_1', 'secret')
  const error: unknown = await client.directory.listDirectories('org_1').catch((thrown) => thrown)
  expect(reported(error)).toEqual({ name: 'ScalekitServiceUnavailableException', code })
})

test.each([
  { error: new TypeError('fetch failed', { cause: withCode('ECONNRESET') }), code: 'ECONNRESET' },
  { error: Object.assign(new Error('connect ETIMEDOUT'), { code: '08006' }), code: '08006' },
  { error: new Error('no account of EVE@EXAMPLE'), code: undefined },
  { error: withStatus(401, 'https://api.example.com/accounts'), code: 'ERR_BAD_REQUEST' },
  { error: withStatus(500, 'oauth/token'), code: 'ERR_BAD_REQUEST' },
])('other errors keep their own code: $error, $code', ({ error, code }) => {
  expect(reported(error).code).toBe(code)
  expect(reported(error).hint).toBeUndefined()
})

test('an error whose properties throw is also reported', () => {
  const trap = () => {
    throw new Error('no')
  }
  expect(reported(new Proxy(new Error(), { get: trap, getPrototypeOf: trap }))).toEqual({
    name: 'unreadable',
  })
})

function withCode(code: string): Error {
  return Object.assign(new Error('the peer went away'), { code })
}

function withStatus(status: number, url: string): Error {
  const fields = { code: 'ERR_BAD_REQUEST', response: { status }, config: { url } }
  return Object.assign(new Error(`Request failed with status code ${status}`), fields)
}
