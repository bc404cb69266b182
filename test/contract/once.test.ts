import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sampleEvent, signDelivery } from '@scalekit-scim/core/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Fault, faultyStore } from '../support/faulty-store.ts'
import { recordingLogger } from '../support/log.ts'
import { expectReply } from '../support/replies.ts'
import { subjects } from '../support/subjects.ts'
import { send } from '../support/wire.ts'

const hire = sampleEvent('organization.directory.user_created')
const outcomes = (answers: { headers: Record<string, unknown> }[]) =>
  answers.map((answer) => answer.headers['scalekit-scim-outcome'])

describe.each(subjects)('once, $name', ({ start }) => {
  test('100 concurrent copies run the handler once, and get no 2xx before it has finished', async () => {
    let runs = 0
    let finished = false
    const { url } = await start({
      onUserUpserted: async () => {
        runs++
        await sleep(300)
        finished = true
      },
    })
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const answer = await send(url, signDelivery(hire, { messageId: 'msg_copied' }))
        if (answer.status < 300) expect(finished).toBe(true)
        return answer
      }),
    )
    expect(runs).toBe(1)
    expect(outcomes(answers).filter((outcome) => outcome === 'processed')).toHaveLength(1)
    expect(outcomes(answers).filter((outcome) => outcome === 'duplicate')).toHaveLength(99)
  })

  test('concurrent copies of a message whose handler fails are all answered handler-failed, and a retry is processed', async () => {
    let runs = 0
    const { url } = await start({
      onUserUpserted: async () => {
        await sleep(100)
        if (++runs === 1) throw new Error('database away')
      },
    })
    const copy = () => send(url, signDelivery(hire, { messageId: 'msg_copied' }))
    expect(new Set(outcomes(await Promise.all([copy(), copy(), copy()])))).toEqual(
      new Set(['handler-failed']),
    )
    expectReply(await copy(), 'processed')
  })

  test('a handler that passes ctx.signal to fetch continues after the deadline', async () => {
    const slow = createServer((_request, response) => setTimeout(() => response.end('ok'), 600)).listen(
      0,
      '127.0.0.1',
    )
    await once(slow, 'listening')
    onTestFinished(() => void slow.close())
    const { port } = slow.address() as AddressInfo
    const fetched: string[] = []
    const { url } = await start({
      onUserUpserted: async (_event, ctx) => {
        const response = await fetch(`http://127.0.0.1:${port}`, { signal: ctx.signal })
        fetched.push(await response.text())
      },
      deadlineSeconds: 0.2,
    })
    const delivery = () => signDelivery(hire, { messageId: 'msg_slow' })
    expectReply(await send(url, delivery()), 'deadline')
    await expect.poll(() => fetched).toEqual(['ok'])
    expectReply(await send(url, delivery()), 'duplicate')
  })

  test('events of one user run one at a time, and events of other users in parallel', async () => {
    const running = new Map<string, number>()
    let most = 0
    const { url } = await start({
      onUserUpserted: async (event) => {
        const now = (running.get(event.data.id) ?? 0) + 1
        running.set(event.data.id, now)
        expect(now).toBe(1)
        most = Math.max(
          most,
          [...running.values()].reduce((a, b) => a + b),
        )
        await sleep(20)
        running.set(event.data.id, 0)
      },
    })
    const update = (user: number, minute: number) =>
      send(
        url,
        signDelivery(
          sampleEvent('organization.directory.user_updated', {
            occurred_at: `2026-11-23T09:${String(minute).padStart(2, '0')}:00Z`,
            data: { id: `diruser_${user}` },
          }),
        ),
      )
    const users = [1, 2, 3, 4]
    const answers = await Promise.all(
      users.flatMap((user) => [3, 1, 2, 4].map((minute) => update(user, minute))),
    )
    expect(answers.every((answer) => answer.status < 300)).toBe(true)
    expect(most).toBeGreaterThan(1)
  })
})

/** Done messages stay duplicates if the store can still be read. */
const unavailable: [string, Fault, 'store-unavailable' | 'duplicate'][] = [
  ['throws', { kind: 'throw' }, 'store-unavailable'],
  ['hangs', { kind: 'hang' }, 'store-unavailable'],
  ['turns every error into undefined', { kind: 'swallow' }, 'store-unavailable'],
  ['returns true and stores nothing', { kind: 'forget' }, 'duplicate'],
  ['fails to read', { kind: 'throw', on: 'get' }, 'store-unavailable'],
  ['fails to read and hides it', { kind: 'swallow', on: 'get' }, 'store-unavailable'],
  ['fails to write', { kind: 'throw', on: 'set' }, 'duplicate'],
  ['hangs on a write', { kind: 'hang', on: 'set' }, 'duplicate'],
]

describe.each(subjects)('a store that fails, $name', ({ start }) => {
  test.each(unavailable)(
    'if a store %s, no message counts as new, and the store recovers by itself',
    async (_name, fault, whenKnown) => {
      let runs = 0
      const { keyv, fail } = faultyStore()
      keyv.on('error', () => {})
      const { url } = await start({
        onUserUpserted: () => void runs++,
        store: keyv,
        storeTimeoutSeconds: 0.2,
      })
      expectReply(await send(url, signDelivery(hire, { messageId: 'msg_before' })), 'processed')

      fail(fault)
      const again = { ...hire, occurred_at: '2026-11-23T10:00:00Z' }
      expectReply(await send(url, signDelivery(hire, { messageId: 'msg_before' })), whenKnown)
      expectReply(await send(url, signDelivery(again, { messageId: 'msg_during' })), 'store-unavailable')
      expect(runs).toBe(1)

      fail(undefined)
      expectReply(await send(url, signDelivery(hire, { messageId: 'msg_before' })), 'duplicate')
      expectReply(await send(url, signDelivery(again, { messageId: 'msg_during' })), 'processed')
      expect(runs).toBe(2)
    },
  )

  test('a store that answers late: the late claim is released, and the retry does not wait for its lease', async () => {
    let runs = 0
    const { keyv, fail, data, history } = faultyStore()
    const { url } = await start({ onUserUpserted: () => void runs++, store: keyv, storeTimeoutSeconds: 0.2 })
    const other = { ...hire, data: { ...hire.data, id: 'diruser_other' } }
    expectReply(await send(url, signDelivery(other)), 'processed')
    fail({ kind: 'late', on: 'set', delayMs: 400 })
    expectReply(await send(url, signDelivery(hire, { messageId: 'msg_late' })), 'store-unavailable')
    fail(undefined)
    const key = `keyv:{scim:default}:r:user:${hire.organization_id}:${hire.data.id}`
    await expect.poll(() => history.slice(-2)).toEqual([`set ${key}`, `set ${key}`])
    expect(data.get(key)).not.toContain('turn')
    expectReply(await send(url, signDelivery(hire, { messageId: 'msg_late' })), 'processed')
    expect(runs).toBe(2)
  })

  test('if the commit fails: 2xx, copies are duplicates at once, and the commit is recorded later', async () => {
    const log = recordingLogger()
    const { keyv, fail, data } = faultyStore()
    keyv.on('error', () => {})
    const { url, receiver } = await start({
      onUserUpserted: () => fail({ kind: 'throw' }),
      store: keyv,
      storeTimeoutSeconds: 0.2,
      logger: log,
    })
    const delivery = () => signDelivery(hire, { messageId: 'msg_committed' })
    expectReply(await send(url, delivery()), 'processed')
    expectReply(await send(url, delivery()), 'duplicate')
    expect(log.text()).toContain('trying again in the background')
    fail(undefined)
    await expect.poll(() => [...data.values()].join(), { timeout: 10_000 }).toContain('\\"done\\":true')
    await receiver.close()
    expect(log.text()).not.toContain('never recorded')
  })
})
