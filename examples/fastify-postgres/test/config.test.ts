import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { InvalidEnvironment, readConfig, readDatabaseUrl, readWorkerConfig } from '../src/config.ts'

const DATABASE_URL = 'postgres://accounts:hunter2@127.0.0.1:5432/accounts'
const usable = { SCALEKIT_WEBHOOK_SECRET: TEST_SECRET, DATABASE_URL, LEDGER_URL: 'redis://127.0.0.1:6379' }

describe('the environment', () => {
  it('only three variables are required', () => {
    assert.deepEqual(readConfig({ ...usable, PORT: '', PATH: '/bin' }), {
      secrets: [TEST_SECRET],
      databaseUrl: DATABASE_URL,
      databasePoolSize: 10,
      ledgerUrl: 'redis://127.0.0.1:6379',
      ledgerNamespace: 'fastify-postgres',
      api: undefined,
      syncSchedule: { everySeconds: 3600 },
      syncFullEverySeconds: 86_400,
      host: '127.0.0.1',
      port: 3000,
      logLevel: 'info',
      drainSeconds: 0,
      isProduction: false,
    })
  })

  it('one error names all missing variables', () => {
    assert.throws(
      () => readConfig({}),
      hasProblems(['DATABASE_URL', 'LEDGER_URL', 'SCALEKIT_WEBHOOK_SECRET']),
    )
  })

  const unusable: Record<string, string[]> = {
    SCALEKIT_WEBHOOK_SECRET: ['whsec_', 'whsec_hunter2!', 'whsec_hunter_2', `${TEST_SECRET},`],
    DATABASE_URL: ['hunter2', 'mysql://hunter2@localhost/accounts', 'postgres://hunter2 @:x'],
    DATABASE_POOL_SIZE: ['0', '-1', '1.5', 'hunter2'],
    LEDGER_URL: [
      'hunter2',
      'memcached://hunter2@localhost',
      'redis://host/hunter2',
      'redis://host/0/hunter2',
    ],
    LEDGER_NAMESPACE: ['{hunter2}', 'hunter 2'],
    PORT: ['65536', 'hunter2'],
    LOG_LEVEL: ['hunter2'],
    DRAIN_SECONDS: ['301', 'hunter2'],
    SYNC_EVERY_SECONDS: ['0', 'hunter2'],
    SYNC_CRON: ['hunter2', '0 3 * * hunter2 * *'],
    SYNC_FULL_EVERY_SECONDS: ['0', 'hunter2'],
  }
  for (const [name, values] of Object.entries(unusable)) {
    it(`an invalid ${name} is reported once, without its value`, () => {
      for (const value of values) {
        assert.throws(() => readConfig({ ...usable, [name]: value }), hasProblems([name]), value)
      }
    })
  }

  const api = {
    SCALEKIT_ENVIRONMENT_URL: 'https://acme.scalekit.com',
    SCALEKIT_CLIENT_ID: 'skc_1',
    SCALEKIT_CLIENT_SECRET: 'hunter2',
  }

  it('if only some of the API credentials are set, an error names the missing ones', () => {
    assert.deepEqual(readConfig({ ...usable, ...api }).api, api)
    assert.equal(readConfig({ ...usable, SCALEKIT_CLIENT_ID: '' }).api, undefined)
    const { SCALEKIT_CLIENT_ID: _, ...others } = api
    assert.throws(() => readConfig({ ...usable, ...others }), hasProblems(['SCALEKIT_CLIENT_ID']))
  })

  it('the sync accepts either an interval or a cron expression, but not both', () => {
    const SYNC_CRON = '0 3 * * *'
    assert.deepEqual(readConfig({ ...usable, SYNC_CRON, SYNC_EVERY_SECONDS: '' }).syncSchedule, {
      cron: SYNC_CRON,
    })
    assert.deepEqual(readConfig({ ...usable, SYNC_EVERY_SECONDS: '60' }).syncSchedule, { everySeconds: 60 })
    assert.throws(
      () => readConfig({ ...usable, SYNC_CRON, SYNC_EVERY_SECONDS: '60' }),
      hasProblems(['SYNC_CRON']),
    )
  })

  it('a worker needs the API credentials, but not a signing secret', () => {
    const { SCALEKIT_WEBHOOK_SECRET: _, ...others } = usable
    assert.deepEqual(readWorkerConfig({ ...others, ...api }).api, api)
    assert.throws(() => readWorkerConfig(others), hasProblems(Object.keys(api)))
  })

  it('two secrets for a rotation and all supported forms of the URLs are accepted', () => {
    const other = TEST_SECRET.replace('c2Nh', 'c2Ni')
    const { secrets } = readConfig({ ...usable, SCALEKIT_WEBHOOK_SECRET: `${TEST_SECRET}, ${other}` })
    assert.deepEqual(secrets, [TEST_SECRET, other])
    for (const url of [
      'rediss://user:a%23b@cache:6380',
      'redis://cache:6379/',
      'redis://cache:6379/1',
      'postgres://db/ledger',
      'postgresql:///ledger',
    ]) {
      assert.equal(readConfig({ ...usable, LEDGER_URL: url }).ledgerUrl, url)
    }
  })

  it('a migration needs only the URL of the database', () => {
    assert.equal(readDatabaseUrl({ DATABASE_URL }), DATABASE_URL)
    assert.throws(() => readDatabaseUrl({}), hasProblems(['DATABASE_URL']))
  })
})

function hasProblems(names: string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof InvalidEnvironment)
    const problems = error.message.trim().split('\n').slice(1)
    assert.deepEqual(
      problems.map((problem) => problem.trim().split(':')[0]),
      names,
    )
    for (const problem of problems) assert.match(problem, /: \S+/)
    assert.doesNotMatch(error.message, /hunter/)
    return true
  }
}
