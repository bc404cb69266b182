import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instant, instantFromMs, plusSeconds } from '../base/instant.ts'
import type { BeginAnswer, BeginRequest, Claim, Ledger, Retention } from '../ledger/ledger.ts'

/** One rule of the ledger's contract; `run` rejects with an `AssertionError` where it is broken. */
export interface ConformanceCheck {
  name: string
  run(): Promise<void>
}

export interface OpenInstance {
  /** How far this instance's own clock is ahead of the others', in milliseconds. */
  skewMs: number
}

export interface ConformanceOptions {
  /** Whether instances exclude each other, as those of an 'atomic' ledger must. @default false */
  atomic?: boolean
}

/**
 * The contract of a ledger as a list of named checks. `open` gives an instance on one and the same store each time;
 * the checks use names of their own, so that they can run in any order and at once.
 *
 * @example
 * for (const { name, run } of ledgerConformance(() => createMyLedger(client))) test(name, run)
 */
export function ledgerConformance(
  open: (instance: OpenInstance) => Ledger | Promise<Ledger>,
  { atomic = false }: ConformanceOptions = {},
): ConformanceCheck[] {
  const checks: ConformanceCheck[] = []
  const check = (name: string, body: (ledger: Ledger) => Promise<void>) =>
    checks.push({ name, run: async () => body(await open({ skewMs: 0 })) })
  for (const suite of [messages, leases, turns, fences, watermarks, syncs, records]) suite(check)
  if (!atomic) return checks

  checks.push({
    name: 'of two instances with clocks 30 s apart only one wins a message, and only one a turn',
    run: async () => {
      const ahead = await open({ skewMs: 30_000 })
      const behind = await open({ skewMs: -30_000 })
      for (const [first, second] of [
        [ahead, behind],
        [behind, ahead],
      ] as const) {
        const request = someRequest({ resource: someId('user') })
        await begun(first, request)
        assert.equal((await second.begin({ ...request, token: someId('token') })).state, 'in-flight')
        assert.equal((await second.begin(someRequest({ resource: request.resource }))).state, 'busy')
      }
    },
  })
  checks.push({
    name: 'of 50 concurrent begins of one message over 5 instances one wins',
    run: async () => {
      const instances = await Promise.all(Array.from({ length: 5 }, () => open({ skewMs: 0 })))
      const messageId = someId('msg')
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => pick(instances, index).begin(someRequest({ messageId }))),
      )
      assert.deepEqual(tally(answers), { begun: 1, 'in-flight': 49 })
    },
  })
  return checks
}

type Check = (name: string, body: (ledger: Ledger) => Promise<void>) => void

/** Leases as short as a store on a busy machine can still be asked about in time. */
const shortLeaseSeconds = 0.4
const beyondMs = 600
const keep: Retention = { retentionSeconds: 60, watermarkRetentionSeconds: 60 }

function messages(check: Check): void {
  check('a message that nobody has begun is begun, with a fence and its time', async (ledger) => {
    const occurredAt = at('09:00')
    const answer = await ledger.begin(someRequest({ resource: someId('user'), occurredAt }))
    assert.equal(answer.state, 'begun')
    if (answer.state !== 'begun') return
    assert.ok(Number.isSafeInteger(answer.fence) && answer.fence > 0)
    assert.equal(answer.occurredAt, occurredAt)
  })

  check('begin again with the same token is begun again, with the same fence', async (ledger) => {
    const request = someRequest({ resource: someId('user'), occurredAt: at('09:00') })
    assert.deepEqual(await ledger.begin(request), await ledger.begin(request))
  })

  check('another token finds it in flight', async (ledger) => {
    const { messageId } = await begun(ledger, someRequest())
    assert.deepEqual(await ledger.begin(someRequest({ messageId })), { state: 'in-flight' })
  })

  check('once committed it is a duplicate, for every token', async (ledger) => {
    const request = someRequest()
    assert.equal(await ledger.commit(await begun(ledger, request), keep), 'ok')
    assert.deepEqual(await ledger.begin(request), { state: 'duplicate' })
    assert.deepEqual(await ledger.begin(someRequest({ messageId: request.messageId })), {
      state: 'duplicate',
    })
  })

  check('a commit that is repeated is ok again', async (ledger) => {
    const claim = await begun(ledger, someRequest({ resource: someId('user') }))
    assert.equal(await ledger.commit(claim, keep), 'ok')
    assert.equal(await ledger.commit(claim, keep), 'ok')
  })

  check('once released it can be begun again at once', async (ledger) => {
    const claim = await begun(ledger, someRequest({ resource: someId('user') }))
    await ledger.release(claim)
    await begun(ledger, someRequest({ messageId: claim.messageId, resource: claim.resource }))
  })

  check('a release by somebody else changes nothing', async (ledger) => {
    const claim = await begun(ledger, someRequest({ resource: someId('user') }))
    await ledger.release({ ...claim, token: someId('token') })
    assert.equal((await ledger.begin(someRequest({ messageId: claim.messageId }))).state, 'in-flight')
    assert.equal((await ledger.begin(someRequest({ resource: claim.resource }))).state, 'busy')
  })

  check('with a retention of 0 it is forgotten at its commit', async (ledger) => {
    const claim = await begun(ledger, someRequest())
    assert.equal(await ledger.commit(claim, { ...keep, retentionSeconds: 0 }), 'ok')
    await begun(ledger, someRequest({ messageId: claim.messageId }))
  })

  check('after its retention it is unseen', async (ledger) => {
    const claim = await begun(ledger, someRequest())
    await ledger.commit(claim, { ...keep, retentionSeconds: shortLeaseSeconds })
    await sleep(beyondMs)
    await begun(ledger, someRequest({ messageId: claim.messageId }))
  })

  check('forget makes it unseen, done or in flight, and says whether it was known', async (ledger) => {
    const done = await begun(ledger, someRequest())
    await ledger.commit(done, keep)
    const running = await begun(ledger, someRequest())
    for (const { messageId } of [done, running]) {
      assert.equal(await ledger.forget(messageId), true)
      assert.equal(await ledger.forget(messageId), false)
      await begun(ledger, someRequest({ messageId }))
    }
  })

  check('what has expired or lapsed was not known to forget', async (ledger) => {
    const done = await begun(ledger, someRequest({ resource: someId('user'), occurredAt: at('09:00') }))
    await ledger.commit(done, {
      retentionSeconds: shortLeaseSeconds,
      watermarkRetentionSeconds: shortLeaseSeconds,
    })
    const lapsed = await begun(ledger, someRequest({ leaseSeconds: shortLeaseSeconds }))
    await sleep(beyondMs)
    assert.equal(await ledger.forget(done.messageId), false)
    assert.equal(await ledger.forget(lapsed.messageId), false)
    assert.equal(await ledger.forgetResource(resourceOf(done)), false)
  })

  check('a claim that the store has lost can still be committed', async (ledger) => {
    const claim = await begun(ledger, someRequest({ resource: someId('user'), occurredAt: at('09:00') }))
    await ledger.forget(claim.messageId)
    await ledger.forgetResource(resourceOf(claim))
    assert.equal(await ledger.commit(claim, keep), 'ok')
    assert.equal((await ledger.begin(someRequest({ messageId: claim.messageId }))).state, 'duplicate')
  })

  check('of 50 concurrent begins of one message one wins', async (ledger) => {
    const messageId = someId('msg')
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ledger.begin(someRequest({ messageId }))),
    )
    assert.deepEqual(tally(answers), { begun: 1, 'in-flight': 49 })
  })

  check('ids of every form are told apart', async (ledger) => {
    const odd = [
      'a b',
      'ä',
      '中文',
      '"\'\\',
      '{x}',
      'a:b',
      'a%3Ab',
      '*',
      'A'.repeat(250),
      'constructor',
      '__proto__',
    ]
    const unique = randomUUID()
    for (const id of odd)
      await begun(ledger, someRequest({ messageId: `${id}-${unique}`, resource: `${id}-${unique}` }))
    for (const id of odd) {
      assert.equal((await ledger.begin(someRequest({ messageId: `${id}-${unique}` }))).state, 'in-flight')
    }
  })
}

function leases(check: Check): void {
  check('a lease that lapsed gives way, to a higher fence', async (ledger) => {
    const late = await begun(
      ledger,
      someRequest({ resource: someId('user'), leaseSeconds: shortLeaseSeconds }),
    )
    await sleep(beyondMs)
    const next = await begun(ledger, someRequest({ messageId: late.messageId, resource: late.resource }))
    assert.ok(next.fence > late.fence)
  })

  check('who comes late has lost: neither renewed, nor committed, nor released', async (ledger) => {
    const late = await begun(
      ledger,
      someRequest({ resource: someId('user'), leaseSeconds: shortLeaseSeconds }),
    )
    await sleep(beyondMs)
    const next = await begun(ledger, someRequest({ messageId: late.messageId, resource: late.resource }))
    assert.equal(await ledger.renew(late, 60), false)
    assert.equal(await ledger.commit(late, keep), 'lost')
    await ledger.release(late)
    assert.equal((await ledger.begin(someRequest({ messageId: late.messageId }))).state, 'in-flight')
    assert.equal(await ledger.commit(next, keep), 'ok')
    assert.equal(await ledger.commit(late, keep), 'lost')
  })

  check(
    'who comes late to a resource has lost, though another message has its turn, or had',
    async (ledger) => {
      const late = await begun(
        ledger,
        someRequest({ resource: someId('user'), leaseSeconds: shortLeaseSeconds }),
      )
      await sleep(beyondMs)
      const next = await begun(ledger, someRequest({ resource: late.resource }))
      assert.equal(await ledger.commit(late, keep), 'lost')
      await ledger.release(next)
      assert.equal(await ledger.commit(late, keep), 'lost')
    },
  )

  check('a lease that lapsed and that nobody took can still be committed', async (ledger) => {
    const late = await begun(
      ledger,
      someRequest({ resource: someId('user'), leaseSeconds: shortLeaseSeconds }),
    )
    await sleep(beyondMs)
    assert.equal(await ledger.commit(late, keep), 'ok')
    assert.equal((await ledger.begin(someRequest({ messageId: late.messageId }))).state, 'duplicate')
  })

  check('a renewed lease holds, message and turn', async (ledger) => {
    const claim = await begun(
      ledger,
      someRequest({ resource: someId('user'), leaseSeconds: shortLeaseSeconds }),
    )
    assert.equal(await ledger.renew(claim, 60), true)
    await sleep(beyondMs)
    assert.equal((await ledger.begin(someRequest({ messageId: claim.messageId }))).state, 'in-flight')
    assert.equal((await ledger.begin(someRequest({ resource: claim.resource }))).state, 'busy')
  })

  check('what was committed cannot be renewed', async (ledger) => {
    const claim = await begun(ledger, someRequest())
    await ledger.commit(claim, keep)
    assert.equal(await ledger.renew(claim, 60), false)
  })

  check('what was released cannot be renewed, and stays free', async (ledger) => {
    const claim = await begun(ledger, someRequest({ resource: someId('user') }))
    await ledger.release(claim)
    assert.equal(await ledger.renew(claim, 60), false)
    await begun(ledger, someRequest({ messageId: claim.messageId, resource: claim.resource }))
  })

  check('a claim that the store has lost is taken anew by its renewal, message and turn', async (ledger) => {
    const claim = await begun(ledger, someRequest({ resource: someId('user'), occurredAt: at('09:00') }))
    const alone = await begun(ledger, someRequest())
    for (const { messageId } of [claim, alone]) await ledger.forget(messageId)
    await ledger.forgetResource(resourceOf(claim))
    for (const lost of [claim, alone]) {
      assert.equal(await ledger.renew(lost, 60), true)
      assert.equal((await ledger.begin(someRequest({ messageId: lost.messageId }))).state, 'in-flight')
    }
    assert.equal((await ledger.begin(someRequest({ resource: claim.resource }))).state, 'busy')
    for (const lost of [claim, alone]) assert.equal(await ledger.commit(lost, keep), 'ok')
    const older = someRequest({ resource: claim.resource, occurredAt: at('08:00') })
    assert.equal((await ledger.begin(older)).state, 'stale')
  })

  check('a claim of which the store has lost one half is taken anew too', async (ledger) => {
    const message = await begun(ledger, someRequest({ resource: someId('user') }))
    await ledger.forget(message.messageId)
    const turn = await begun(ledger, someRequest({ resource: someId('user') }))
    await ledger.forgetResource(resourceOf(turn))
    for (const claim of [message, turn]) {
      assert.equal(await ledger.renew(claim, 60), true)
      assert.equal((await ledger.begin(someRequest({ messageId: claim.messageId }))).state, 'in-flight')
      assert.equal((await ledger.begin(someRequest({ resource: claim.resource }))).state, 'busy')
      assert.equal(await ledger.commit(claim, keep), 'ok')
    }
  })

  check('a renewal takes nothing from who has begun since, nor from who has done', async (ledger) => {
    const late = await begun(ledger, someRequest({ resource: someId('user') }))
    await ledger.forget(late.messageId)
    await ledger.forgetResource(resourceOf(late))
    const next = await begun(ledger, someRequest({ resource: late.resource }))
    assert.equal(await ledger.renew(late, 60), false)
    assert.equal(await ledger.commit(next, keep), 'ok')
    assert.equal(await ledger.renew(late, 60), false)
    await begun(ledger, someRequest({ messageId: late.messageId, resource: late.resource }))
  })
}

function turns(check: Check): void {
  check('another message of the resource is busy, until the turn ends', async (ledger) => {
    const resource = someId('user')
    const first = await begun(ledger, someRequest({ resource, occurredAt: at('09:00') }))
    const second = someRequest({ resource, occurredAt: at('09:01') })
    assert.deepEqual(await ledger.begin(second), { state: 'busy' })
    await ledger.commit(first, keep)
    assert.ok((await begun(ledger, second)).fence > first.fence)
  })

  check('messages of other resources, and of none, are not busy', async (ledger) => {
    await begun(ledger, someRequest({ resource: someId('user') }))
    await begun(ledger, someRequest({ resource: someId('user') }))
    await begun(ledger, someRequest())
  })

  check('a duplicate and one in flight are told so, busy or not', async (ledger) => {
    const resource = someId('user')
    const done = await begun(ledger, someRequest({ resource }))
    await ledger.commit(done, keep)
    const running = await begun(ledger, someRequest({ resource }))
    assert.equal(
      (await ledger.begin(someRequest({ resource, messageId: done.messageId }))).state,
      'duplicate',
    )
    assert.equal(
      (await ledger.begin(someRequest({ resource, messageId: running.messageId }))).state,
      'in-flight',
    )
  })

  check('of 50 concurrent messages of one resource one has the turn', async (ledger) => {
    const resource = someId('user')
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ledger.begin(someRequest({ resource }))),
    )
    assert.deepEqual(tally(answers), { begun: 1, busy: 49 })
  })

  check(
    'forgetResource ends the turn and forgets the watermark, and says whether it was known',
    async (ledger) => {
      const resource = someId('user')
      await ledger.commit(await begun(ledger, someRequest({ resource, occurredAt: at('09:05') })), keep)
      await begun(ledger, someRequest({ resource, occurredAt: at('09:06') }))
      assert.equal(await ledger.forgetResource(resource), true)
      assert.equal(await ledger.forgetResource(resource), false)
      await begun(ledger, someRequest({ resource, occurredAt: at('09:00') }))
    },
  )
}

function fences(check: Check): void {
  check(
    'who has begun before a resource was forgotten has lost to who begins at once after it',
    async (ledger) => {
      for (let round = 0; round < 20; round++) {
        const late = await begun(ledger, someRequest({ resource: someId('user') }))
        await ledger.forgetResource(resourceOf(late))
        const next = await begun(ledger, someRequest({ resource: late.resource }))
        assert.ok(next.fence > late.fence)
        assert.equal(await ledger.commit(late, keep), 'lost')
        assert.equal(await ledger.commit(next, keep), 'ok')
      }
    },
  )
}

function watermarks(check: Check): void {
  check('older is stale, by a nanosecond; equal and newer are not', async (ledger) => {
    const resource = someId('user')
    const apply = async (occurredAt: Instant) =>
      ledger.commit(await begun(ledger, someRequest({ resource, occurredAt })), keep)
    await apply(at('09:00', 7))
    assert.deepEqual(await ledger.begin(someRequest({ resource, occurredAt: at('09:00', 6) })), {
      state: 'stale',
    })
    await apply(at('09:00', 7))
    await apply(at('09:00', 8))
    assert.deepEqual(await ledger.begin(someRequest({ resource, occurredAt: at('09:00', 7) })), {
      state: 'stale',
    })
  })

  check('stale writes nothing: the message stays unseen and the turn free', async (ledger) => {
    const resource = someId('user')
    await ledger.commit(await begun(ledger, someRequest({ resource, occurredAt: at('09:05') })), keep)
    const stale = someRequest({ resource, occurredAt: at('09:00') })
    assert.equal((await ledger.begin(stale)).state, 'stale')
    await begun(ledger, someRequest({ messageId: stale.messageId }))
    await begun(ledger, someRequest({ resource, occurredAt: at('09:06') }))
  })

  check('a release moves no watermark', async (ledger) => {
    const resource = someId('user')
    await ledger.release(await begun(ledger, someRequest({ resource, occurredAt: at('09:05') })))
    await begun(ledger, someRequest({ resource, occurredAt: at('09:00') }))
  })

  check('a release keeps the watermark that was there', async (ledger) => {
    const resource = someId('user')
    await ledger.commit(await begun(ledger, someRequest({ resource, occurredAt: at('09:05') })), keep)
    await ledger.release(await begun(ledger, someRequest({ resource, occurredAt: at('09:06') })))
    assert.equal((await ledger.begin(someRequest({ resource, occurredAt: at('09:00') }))).state, 'stale')
  })

  check('of the time of a tombstone an update is stale, and a deletion is not', async (ledger) => {
    const resource = someId('user')
    const deleted = someRequest({ resource, occurredAt: at('09:00'), deletion: true })
    await ledger.commit(await begun(ledger, deleted), keep)
    assert.equal((await ledger.begin(someRequest({ resource, occurredAt: at('09:00') }))).state, 'stale')
    const again = someRequest({ resource, occurredAt: at('09:00'), deletion: true })
    await ledger.commit(await begun(ledger, again), keep)
    await begun(ledger, someRequest({ resource, occurredAt: at('09:01') }))
  })

  check('a time over 300 s ahead counts as the store’s, and so does none', async (ledger) => {
    const before = await ledger.now()
    for (const occurredAt of [plusSeconds(before, 3600), undefined]) {
      const resource = someId('user')
      const request = someRequest({ resource, ...(occurredAt === undefined ? {} : { occurredAt }) })
      const claim = await begun(ledger, request)
      assert.ok(claim.occurredAt >= before && claim.occurredAt <= (await ledger.now()))
      await ledger.commit(claim, keep)
      await begun(ledger, someRequest({ resource, occurredAt: plusSeconds(await ledger.now(), 1) }))
    }
    const near = plusSeconds(before, 200)
    assert.equal(
      (await begun(ledger, someRequest({ resource: someId('user'), occurredAt: near }))).occurredAt,
      near,
    )
  })

  check('after its retention a watermark is unseen', async (ledger) => {
    const resource = someId('user')
    const claim = await begun(ledger, someRequest({ resource, occurredAt: at('09:05') }))
    await ledger.commit(claim, { ...keep, watermarkRetentionSeconds: shortLeaseSeconds })
    await sleep(beyondMs)
    await begun(ledger, someRequest({ resource, occurredAt: at('09:00') }))
  })

  check('the store’s time is an instant of 19 digits that does not go back', async (ledger) => {
    const first = await ledger.now()
    const second = await ledger.now()
    assert.match(first, /^\d{19}$/)
    assert.ok(second >= first)
  })
}

function syncs(check: Check): void {
  check('what a sync read is superseded by all that was applied since', async (ledger) => {
    const resource = someId('user')
    const observedAt = await ledger.now()
    await sleep(5)
    await ledger.commit(await begun(ledger, someRequest({ resource, occurredAt: at('09:00') })), keep)
    const read = someRequest({ resource, occurredAt: at('10:00'), observedAt })
    assert.deepEqual(await ledger.begin(read), { state: 'stale' })
  })

  check(
    'what a sync read later heals what was applied before, however new that said it was',
    async (ledger) => {
      const resource = someId('user')
      const skewed = plusSeconds(await ledger.now(), 200)
      await ledger.commit(await begun(ledger, someRequest({ resource, occurredAt: skewed })), keep)
      await sleep(5)
      const read = someRequest({ resource, occurredAt: at('09:00'), observedAt: await ledger.now() })
      const claim = await begun(ledger, read)
      assert.equal(claim.occurredAt, skewed, 'the watermark never goes back')
    },
  )

  check(
    'a sync’s watermark is its record’s time, up to when it was read, but at least 60 s before that',
    async (ledger) => {
      const observedAt = await ledger.now()
      const expected: [Instant, Instant][] = [
        [plusSeconds(observedAt, -10), plusSeconds(observedAt, -10)],
        [plusSeconds(observedAt, 10), observedAt],
        [plusSeconds(observedAt, -3600), plusSeconds(observedAt, -60)],
      ]
      for (const [occurredAt, watermark] of expected) {
        const claim = await begun(ledger, someRequest({ resource: someId('user'), occurredAt, observedAt }))
        assert.equal(claim.occurredAt, watermark)
      }
    },
  )
}

function records(check: Check): void {
  check('a record is written only where it is what was expected', async (ledger) => {
    const record = ledger.record(someId('record'))
    assert.equal(await record.read(), undefined)
    assert.equal(await record.compareAndSet('x', 'a', 60), false)
    assert.equal(await record.compareAndSet(undefined, 'a', 60), true)
    assert.equal(await record.compareAndSet(undefined, 'b', 60), false)
    assert.equal(await record.read(), 'a')
    assert.equal(await record.compareAndSet('a', undefined, 60), true)
    assert.equal(await record.read(), undefined)
  })

  check('a record expires', async (ledger) => {
    const record = ledger.record(someId('record'))
    await record.compareAndSet(undefined, 'a', shortLeaseSeconds)
    await sleep(beyondMs)
    assert.equal(await record.read(), undefined)
    assert.equal(await record.compareAndSet(undefined, 'b', 60), true)
  })

  check('of 20 concurrent writers of a record one succeeds', async (ledger) => {
    const name = someId('record')
    const wrote = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        ledger.record(name).compareAndSet(undefined, String(index), 60),
      ),
    )
    assert.equal(wrote.filter(Boolean).length, 1)
  })
}

interface SomeRequest {
  token?: string
  messageId?: string | undefined
  resource?: string | undefined
  occurredAt?: Instant
  deletion?: boolean
  observedAt?: Instant
  leaseSeconds?: number
}

function someRequest({ messageId, resource, ...rest }: SomeRequest = {}): BeginRequest {
  return {
    token: someId('token'),
    messageId: messageId ?? someId('msg'),
    leaseSeconds: 60,
    ...(resource === undefined ? {} : { resource }),
    ...rest,
  }
}

async function begun(ledger: Ledger, request: BeginRequest): Promise<Claim> {
  const answer = await ledger.begin(request)
  assert.equal(answer.state, 'begun')
  const { fence, occurredAt } = answer as BeginAnswer & { state: 'begun' }
  const { token, messageId, resource, deletion = false } = request
  return { token, messageId, fence, occurredAt, deletion, ...(resource === undefined ? {} : { resource }) }
}

function resourceOf(claim: Claim): string {
  assert.ok(claim.resource !== undefined)
  return claim.resource
}

function someId(kind: string): string {
  return `${kind}-${randomUUID()}`
}

/** A time of a day that is over, so that no store takes it for the future. */
function at(time: string, nanoseconds = 0): Instant {
  const instant = instantFromMs(Date.parse(`2026-01-05T${time}:00Z`))
  return instant.slice(0, -9) + String(nanoseconds).padStart(9, '0')
}

function tally(answers: BeginAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { state } of answers) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

function pick<T>(items: readonly T[], index: number): T {
  return items[index % items.length] as T
}
