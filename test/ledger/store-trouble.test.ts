import { randomUUID } from 'node:crypto'
import KeyvRedis from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { createReceiver } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { Keyv } from 'keyv'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { storeHints } from '../../packages/core/src/ledger/error-hints.ts'
import { recordingLogger } from '../support/log.ts'
import { adapterOn, freshRole, freshSchema, reachablePostgres, sqlOn } from '../support/postgres.ts'
import { freePort, redisIsInstalled, startRedis } from '../support/redis-server.ts'

/** The log fields of an attempt that is answered store-unavailable. */
async function unavailableLine(adapter: object, beforeIt?: () => unknown) {
  const log = recordingLogger()
  const store = new Keyv(adapter)
  const receiver = createReceiver({
    secret: TEST_SECRET,
    store,
    namespace: randomUUID(),
    logger: log,
    storeTimeoutSeconds: 1,
    onUserUpserted: () => expect.unreachable(),
  })
  onTestFinished(async () => {
    await receiver.close({ graceSeconds: 0 })
    if (adapter instanceof KeyvRedis) await adapter.disconnect(true).catch(() => {})
  })
  await beforeIt?.()
  const delivery = signDelivery(sampleEvent('organization.directory.user_created'))
  const { outcome } = await receiver.receive({ url: '/', ...delivery })
  expect(outcome).toBe('store-unavailable')
  return log.lines.find(({ fields }) => fields.outcome === outcome)?.fields
}

const coded = (errorCode: string) => ({ errorCode, hint: storeHints[errorCode] })

describe.skipIf(!redisIsInstalled)('Redis', async () => {
  if (!redisIsInstalled) return
  const redis = await startRedis()
  afterAll(() => redis.remove())
  redis.cli('ACL', 'SETUSER', 'low', 'on', '>low', '~*', '+@connection')
  const as = (user: string) => new KeyvRedis(redis.url.replace('//', `//${user}@`))

  test('the log names a wrong password, with a hint', async () => {
    expect(await unavailableLine(as('low:wrong'))).toMatchObject(coded('WRONGPASS'))
  })

  test('the log names a missing right, with a hint', async () => {
    expect(await unavailableLine(as('low:low'))).toMatchObject(coded('NOPERM'))
  })

  test('the log names a full memory, with a hint', async () => {
    redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    onTestFinished(() => void redis.cli('CONFIG', 'SET', 'maxmemory', '0'))
    expect(await unavailableLine(new KeyvRedis(redis.url))).toMatchObject(coded('OOM'))
  })

  test('the log names a refused connection, with a hint', async () => {
    const nothing = new KeyvRedis(`redis://127.0.0.1:${await freePort()}`)
    expect(await unavailableLine(nothing)).toMatchObject(coded('ECONNREFUSED'))
  })

  test('the log names the reason, not the name of a client’s own error', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`
    const nothing = new KeyvValkey(url, { maxRetriesPerRequest: 0 })
    onTestFinished(() => nothing.disconnect())
    expect(await unavailableLine(nothing)).toMatchObject(coded('ECONNREFUSED'))
  })

  test('the log names a silent server, with a hint', async () => {
    const frozen = await startRedis()
    onTestFinished(() => frozen.remove())
    const adapter = new KeyvRedis(frozen.url)
    const line = await unavailableLine(adapter, async () => {
      await adapter.getClient()
      frozen.freeze()
    })
    expect(line).toMatchObject(coded('TIMEOUT'))
  })

  test('if the server is killed under an open connection, the log names the connection', async () => {
    const victim = await startRedis()
    onTestFinished(() => victim.remove())
    const adapter = new KeyvRedis(victim.url)
    const line = await unavailableLine(adapter, async () => {
      await adapter.getClient()
      await victim.kill()
    })
    expect(line).toMatchObject(coded('ECONNREFUSED'))
  })
})

const uri = await reachablePostgres()

describe.skipIf(uri === undefined)('PostgreSQL', () => {
  if (uri === undefined) return

  test('the log names a missing right, with a hint', async () => {
    const { role, uri: asRole } = await freshRole(uri)
    const schema = await freshSchema(uri, role)
    expect(await unavailableLine(adapterOn(asRole, { schema }))).toMatchObject(coded('42501'))
  })

  test('the log names a read-only database, with a hint', async () => {
    const { role, uri: asRole } = await freshRole(uri)
    const schema = await freshSchema(uri, role)
    await sqlOn(uri)(`GRANT CREATE ON SCHEMA ${schema} TO ${role}`)
    await sqlOn(uri)(`ALTER ROLE ${role} SET default_transaction_read_only = on`)
    expect(await unavailableLine(adapterOn(asRole, { schema }))).toMatchObject(coded('25006'))
  })
})

test('an error of an application that begins with a word in capitals has no store code', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  onTestFinished(() => void vi.unstubAllEnvs())
  const log = recordingLogger()
  const receiver = createReceiver({
    secret: TEST_SECRET,
    logger: log,
    onUserUpserted: () => {
      throw new Error('SMITH is not known')
    },
  })
  await receiver.receive({ url: '/', ...signDelivery(sampleEvent('organization.directory.user_created')) })
  expect(log.text()).not.toContain('SMITH')
})
