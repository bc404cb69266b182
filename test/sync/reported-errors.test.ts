import { inspect } from 'node:util'
import { createDirectorySync, formatReport, type Known, type SyncReport } from '@scalekit-scim/core/sync'
import { expect, test } from 'vitest'
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

test('who has the report has the error itself, and no log, JSON or copy of it does', async () => {
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

test('whatever was thrown is the cause', async () => {
  const { error } = await passWith(() => Promise.reject('gone'))
  expect(error).toEqual({ name: 'string' })
  expect(error?.cause).toBe('gone')
})

test("what is wrong with a record of `known` is said in the report, the log and the report's lines", async () => {
  const known = () => [{ id: 'diruser_0', occurredAt: Object(new Date()) }]
  const { report, error, logger } = await passWith(known)
  const mend = expect.stringContaining('`occurredAt` of type Date')
  expect(error).toMatchObject({ name: 'SyncError', code: 'ERR_SCIM_KNOWN_INVALID', mend })
  expect(errorsOf(logger)).toMatchObject([{ fields: { mend } }])
  expect(formatReport(report)).toEqual(mend)
})
