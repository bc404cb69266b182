// What each verb of the ledger costs on Redis, one call after the other, beside a bare `SET k v NX PX` by the same
// client. Rounds of all alternate, so that what else the machine does falls on all alike.
import { randomUUID } from 'node:crypto'
import KeyvRedis from '@keyv/redis'
import { type Claim, createDispatcher } from '@scalekit-scim/core'
import Keyv from 'keyv'
import { cpuMs, median, spread } from './measure.ts'

const rounds = 15
const warmUpRounds = 3
const callsPerRound = 400
const mostP50 = 1.5
const mostCpu = 1.8

const adapter = new KeyvRedis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
const namespace = `bench-${randomUUID()}`
const dispatcher = createDispatcher({ store: new Keyv(adapter), namespace, logger: false })
const { ledger } = dispatcher
const client = await adapter.getClient()
if (!('info' in client)) throw new Error('the benchmark runs on a single server')
const retention = { retentionSeconds: 345_600, watermarkRetentionSeconds: 3_024_000 }
const times = Array.from({ length: callsPerRound }, (_, index) => index)

/** A bare claim, and what a bare commit writes, as anybody would who keeps no order. */
const setNx = (key: string) =>
  client.set(key, 'token', { condition: 'NX', expiration: { type: 'PX', value: 12_000 } })
const set = (key: string) => client.set(key, 'done', { expiration: { type: 'PX', value: 345_600_000 } })

async function begin(id: string): Promise<Claim> {
  const claim = { token: `Qm9yZWRvbQ.${id}`, messageId: id, resource: `user:org_1:${id}`, deletion: false }
  const answer = await ledger.begin({ ...claim, occurredAt: '1767603600000000000', leaseSeconds: 12 })
  if (answer.state !== 'begun') throw new Error(`the benchmark's own message was ${answer.state}`)
  return { ...claim, fence: answer.fence, occurredAt: answer.occurredAt }
}

/** The median of a call, in microseconds, over one round of them. */
async function p50<T>(items: readonly T[], call: (item: T) => Promise<unknown>): Promise<number> {
  const took: number[] = []
  for (const item of items) {
    const from = performance.now()
    await call(item)
    took.push((performance.now() - from) * 1000)
  }
  return median(took)
}

const costs = new Map<string, number[]>()
const note = (name: string, cost: number) => costs.set(name, [...(costs.get(name) ?? []), cost])

for (let round = -warmUpRounds; round < rounds; round++) {
  const ids = times.map((time) => `${round}.${time}`)
  const claims: Claim[] = []
  const verbs: Record<string, number> = {
    'SET NX PX': await p50(ids, (id) => setNx(`{scim:${namespace}}:bare:${id}`)),
    begin: await p50(ids, async (id) => claims.push(await begin(id))),
    renew: await p50(claims, (claim) => ledger.renew(claim, 12)),
    commit: await p50(claims, (claim) => ledger.commit(claim, retention)),
    'begin (a duplicate)': await p50(claims, (claim) =>
      ledger.begin({ token: 'another', messageId: claim.messageId, leaseSeconds: 12 }),
    ),
    forget: await p50(ids, (id) => ledger.forget(id)),
    now: await p50(ids, () => ledger.now()),
  }
  const begun: Claim[] = []
  for (const id of ids) begun.push(await begin(`r${id}`))
  verbs.release = await p50(begun, (claim) => ledger.release(claim))

  const ours = await cpuMs(async () => {
    for (const id of ids) await ledger.commit(await begin(`c${id}`), retention)
  })
  const bare = await cpuMs(async () => {
    for (const id of ids) {
      await setNx(`{scim:${namespace}}:c${id}`)
      await set(`{scim:${namespace}}:c${id}`)
    }
  })
  if (round < 0) continue
  for (const [name, cost] of Object.entries(verbs)) note(name, cost)
  note('cpu ours', (ours * 1000) / callsPerRound)
  note('cpu bare', (bare * 1000) / callsPerRound)
}

/** How many commands the server was sent for each verb, by its own count. */
async function roundTrips(call: () => Promise<unknown>): Promise<number> {
  const count = async () => Number(/total_commands_processed:(\d+)/.exec(await info('stats'))?.[1])
  const packets = async () => Number(/evalsha:calls=(\d+)/.exec(await info('commandstats'))?.[1] ?? 0)
  void count
  const before = await packets()
  for (let time = 0; time < 100; time++) await call()
  return ((await packets()) - before) / 100
}
