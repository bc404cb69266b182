import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import KeyvRedis, { createKeyvNonBlocking } from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { createReceiver, type Receiver, type ReceiverOptions, type Store } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import Keyv5 from 'keyv'
import Keyv6 from 'keyv6'
import { afterEach, describe, expect, test } from 'vitest'
import { type LogLine, recordingLogger } from '../support/log.ts'
import { lossyProxy } from '../support/lossy-proxy.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../support/redis-server.ts'

if (!redisIsInstalled) {
  if (process.env.CI) throw new Error('no redis-server on the PATH')
  console.warn('SKIPPED: the faults of Redis, because there is no redis-server on the PATH')
}

const ended: (() => Promise<unknown>)[] = []
const uncaught: unknown[] = []
process.on('uncaughtException', (error) => uncaught.push(error))

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end()
  expect(uncaught.splice(0)).toEqual([])
})

async function server(...options: string[]): Promise<RedisServer> {
  const redis = await startRedis(...options)
  ended.push(() => redis.remove())
  return redis
}

const stores: Record<string, (redis: RedisServer) => Store> = {
  '@keyv/redis in Keyv 5': ({ url }) => new Keyv5(ending(new KeyvRedis(url))),
  '@keyv/redis in Keyv 6': ({ url }) => new Keyv6({ store: ending(new KeyvRedis(url)) as never }) as Store,
  '@keyv/redis that gives up at once': ({ url }) => createKeyvNonBlocking(url),
  '@keyv/valkey in Keyv 5': ({ url }) => new Keyv5(ending(new KeyvValkey(url))),
  '@keyv/valkey in Keyv 6': ({ url }) => new Keyv6({ store: ending(new KeyvValkey(url)) as never }) as Store,
}

function ending<Adapter extends { disconnect(force?: boolean): Promise<unknown> }>(
  adapter: Adapter,
): Adapter {
  ended.push(() => adapter.disconnect(true))
  return adapter
}

interface Instance {
  receiver: Receiver
  /** The messages whose handler ran, in the order of the runs. */
  ran: string[]
  lines: LogLine[]
  /** Sends one attempt of a message, and returns the status and the outcome. */
  attempt(messageId: string): Promise<string>
}

function instance(store: Store, options: Partial<ReceiverOptions> = {}): Instance {
  const ran: string[] = []
  const logger = recordingLogger()
  const receiver = createReceiver({
    secret: TEST_SECRET,
    store,
    logger,
    namespace: 'faults',
    // The time is long enough for a busy machine, so that a running store does not look absent.
    storeTimeoutSeconds: 1.5,
    leaseSeconds: 60,
    deadlineSeconds: 6,
    onUserUpserted: (_event, ctx) => void ran.push(ctx.idempotencyKey),
    ...options,
  })
  ended.push(() => receiver.close({ graceSeconds: 0.1 }))
  return {
    receiver,
    ran,
    lines: logger.lines,
    async attempt(messageId) {
      const event = sampleEvent('organization.directory.user_updated', { data: { id: `user_${messageId}` } })
      const { status, outcome } = await receiver.receive({
        url: '/webhooks/scalekit',
        ...signDelivery(event, { messageId }),
      })
      return `${status} ${outcome}`
    },
  }
}

const processed = '201 processed'
const duplicate = '200 duplicate'
const unavailable = '503 store-unavailable'

function someMessage(): string {
  return `msg_${randomUUID()}`
}

/** Retries an attempt until it succeeds, as the sender does. */
async function untilDone({ attempt }: Instance, messageId: string): Promise<string> {
  for (let tries = 0; tries < 60; tries++) {
    const answer = await attempt(messageId)
    if (answer === processed || answer === duplicate) return answer
    await sleep(100)
  }
  return 'never done'
}

describe.skipIf(!redisIsInstalled).each(Object.entries(stores))(
  'a failing Redis, with %s',
  (_name, store) => {
    test('a server that is down at start is unavailable until it starts', async () => {
      const redis = await server()
      await redis.kill()
      const it = instance(store(redis))
      const messageId = someMessage()
      expect(await it.attempt(messageId)).toBe(unavailable)
      expect(await it.attempt(messageId)).toBe(unavailable)
      await redis.start()
      expect(await untilDone(it, messageId)).toBe(processed)
      expect(await it.attempt(messageId)).toBe(duplicate)
      expect(it.ran).toEqual([messageId])
    })

    test('a server that is killed and restarted empty is unavailable in between, and then works again', async () => {
      const redis = await server()
      const it = instance(store(redis))
      expect(await untilDone(it, someMessage())).toBe(processed)
      await redis.kill()
      const messageId = someMessage()
      expect(await it.attempt(messageId)).toBe(unavailable)
      await redis.start()
      expect(await untilDone(it, messageId)).toBe(processed)
      expect(it.ran.filter((ran) => ran === messageId)).toHaveLength(1)
    })

    test('a frozen server is unavailable, and a late claim is released', async () => {
      const redis = await server()
      const it = instance(store(redis))
      expect(await untilDone(it, someMessage())).toBe(processed)
      redis.freeze()
      const messageId = someMessage()
      expect(await it.attempt(messageId)).toBe(unavailable)
      redis.thaw()
      // The lease is 60 s, so a leftover claim would leave the message in flight.
      expect(await untilDone(it, messageId)).toBe(processed)
      expect(it.ran).toHaveLength(2)
    })

    test('if the server freezes before the commit, the event is done, and recorded in the background', async () => {
      const redis = await server()
      const messageId = someMessage()
      const it = instance(store(redis), { onUserUpserted: () => redis.freeze() })
      expect(await it.attempt(messageId)).toBe(processed)
      expect(await it.attempt(messageId)).toBe(duplicate)
      redis.thaw()
      const key = `{scim:faults}:m:${messageId}`
      await expect.poll(() => redis.cli('GET', key)).toMatch(/^d/)
    })

    test('if the server has lost its scripts, the whole script is sent', async () => {
      const redis = await server()
      const it = instance(store(redis), { onUserUpserted: () => void redis.cli('SCRIPT', 'FLUSH') })
      const messageId = someMessage()
      expect(await it.attempt(messageId)).toBe(processed)
      expect(await it.attempt(messageId)).toBe(duplicate)
    })

    test('if the answer of a begin is lost, the begin is repeated, and no claim is left over', async () => {
      const redis = await server()
      const proxy = await lossyProxy(redis.port)
      ended.push(() => proxy.close())
      const it = instance(store({ ...redis, url: `redis://127.0.0.1:${proxy.port}` }))
      expect(await untilDone(it, someMessage())).toBe(processed)
      const messageId = someMessage()
      proxy.loseNextAnswer()
      await it.attempt(messageId)
      expect(proxy.lost).toBe(1)
      // The lease is 60 s, so a leftover claim would leave the message in flight.
      expect(await untilDone(it, messageId)).toMatch(/^2/)
      expect(it.ran.filter((ran) => ran === messageId)).toHaveLength(1)
    })

    test('if the answer of a begin that waited for a connection is lost, no claim is left over', async () => {
      const redis = await server()
      const proxy = await lossyProxy(redis.port)
      ended.push(() => proxy.close())
      const it = instance(store({ ...redis, url: `redis://127.0.0.1:${proxy.port}` }), {
        deadlineSeconds: 1.5,
      })
      expect(await untilDone(it, someMessage())).toBe(processed)
      await proxy.pause()
      await sleep(50)
      const messageId = someMessage()
      const attempted = it.attempt(messageId)
      await sleep(50)
      proxy.loseNextAnswer(messageId)
      await proxy.resume()
      await attempted
      // A client that stops immediately sends no command before the retry.
      if (proxy.lost === 0) await untilDone(it, messageId)
      expect(proxy.lost).toBe(1)
      const claim = `{scim:faults}:m:${messageId}`
      await expect.poll(() => redis.cli('GET', claim), { timeout: 10_000 }).not.toMatch(/^c/)
    })

    test('if the clients are killed under load, every message is done exactly once', async () => {
      const redis = await server()
      const it = instance(store(redis))
      expect(await untilDone(it, someMessage())).toBe(processed)
      const messages = Array.from({ length: 40 }, someMessage)
      const all = Promise.all(messages.map((messageId) => untilDone(it, messageId)))
      for (let times = 0; times < 3; times++) {
        redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        await sleep(50)
      }
      expect(await all).not.toContain('never done')
      expect(new Set(it.ran).size).toBe(it.ran.length)
    })

    test('without memory, no message is begun, and begun messages are committed', async () => {
      const redis = await server()
      const fill = () => {
        redis.cli('CONFIG', 'SET', 'maxmemory', '1')
      }
      const it = instance(store(redis), { onUserUpserted: fill })
      const messageId = someMessage()
      expect(await it.attempt(messageId)).toBe(processed)
      expect(await it.attempt(messageId)).toBe(duplicate)
      expect(redis.cli('GET', `{scim:faults}:m:${messageId}`)).toMatch(/^d/)

      const next = someMessage()
      expect(await it.attempt(next)).toBe(unavailable)
      expect(redis.cli('EXISTS', `{scim:faults}:m:${next}`)).toBe('0')
      expect(it.lines.some(({ fields }) => fields.errorCode === 'OOM')).toBe(true)
      redis.cli('CONFIG', 'SET', 'maxmemory', '0')
      expect(await untilDone(it, next)).toBe(processed)
    })

    test('a read-only replica begins no message until it is a master again', async () => {
      const [redis, master] = [await server(), await server()]
      const it = instance(store(redis))
      redis.cli('REPLICAOF', '127.0.0.1', String(master.port))
      const messageId = someMessage()
      expect(await it.attempt(messageId)).toBe(unavailable)
      redis.cli('REPLICAOF', 'NO', 'ONE')
      expect(await untilDone(it, messageId)).toBe(processed)
      expect(it.ran).toEqual([messageId])
    })

    test('foreign data at a key of the ledger never counts as a new message', async () => {
      const redis = await server()
      const it = instance(store(redis))
      const [list, text] = [someMessage(), someMessage()]
      redis.cli('RPUSH', `{scim:faults}:m:${list}`, 'x')
      redis.cli('SET', `{scim:faults}:m:${text}`, 'foreign')
      expect(await it.attempt(list)).toBe(unavailable)
      expect(await it.attempt(text)).toBe(unavailable)
      redis.cli('FLUSHALL')
      expect(await it.attempt(list)).toBe(processed)
      expect(it.ran).toEqual([list])
    })
  },
)

describe.skipIf(!redisIsInstalled)('a Redis that lost its data while a handler ran', () => {
  test('the next renewal restores the claim in Redis, so that no other process begins', async () => {
    const redis = await server()
    const started = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const handler = async () => {
      started.resolve()
      await finish.promise
    }
    const open = stores['@keyv/redis in Keyv 5'] as (redis: RedisServer) => Store
    const it = instance(open(redis), { leaseSeconds: 3, deadlineSeconds: 20, onUserUpserted: handler })
    const other = instance(open(redis), { leaseSeconds: 3, deadlineSeconds: 2 })
    const messageId = someMessage()
    const attempted = it.attempt(messageId)
    await started.promise
    await redis.kill()
    await redis.start()
    await expect.poll(() => redis.cli('EXISTS', `{scim:faults}:m:${messageId}`), { timeout: 8000 }).toBe('1')
    expect(await other.attempt(messageId)).toMatch(/409 in-flight/)
    finish.resolve()
    expect(await attempted).toBe(processed)
    expect(await other.attempt(messageId)).toBe(duplicate)
  })
})
