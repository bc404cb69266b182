// Measures each verb of the ledger on Redis, one call at a time. Compares each verb with a bare `SET k v NX PX` of
// the same client. Rounds alternate, so that other load affects all calls equally.
import { randomUUID } from 'node:crypto'
import KeyvRedis, { createClient } from '@keyv/redis'
import { createDispatcher } from '@scalekit-scim/core'
import type { Claim } from '@scalekit-scim/core/adapter'
import Keyv from 'keyv'
import { cpuMs, median, spread } from './measure.ts'

const rounds = 15
const warmUpRounds = 3
const callsPerRound = 400
const maxP50 = 1.5
const maxCpu = 1.8

const client = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
await client.connect()
const adapter = new KeyvRedis(client)
const namespace = `bench-${randomUUID()}`
const dispatcher = createDispatcher({ store: new Keyv(adapter), namespace, logger: false })
const { ledger } = dispatcher
const retention = { retentionSeconds: 345_600, watermarkRetentionSeconds: 3_024_000 }
const times = Array.from({ length: callsPerRound }, (_, index) => index)

/** For comparison, these calls are a bare claim and a bare commit, without ordering. */
const setNx = (key: string) =>
  client.set(key, 'token', { condition: 'NX', expiration: { type: 'PX', value: 12_000 } })
const set = (key: string) => client.set(key, 'done', { expiration: { type: 'PX', value: 345_600_000 } })

async function begin(id: string): Promise<Claim> {
  const claim = { token: `Qm9yZWRvbQ.${id}`, messageId: id, resource: `user:org_1:${id}`, deletion: false }
  const answer = await ledger.begin({ ...claim, occurredAt: '1767603600000000000', leaseSeconds: 12 })
  if (answer.state !== 'begun') throw new Error(`the benchmark's own message was ${answer.state}`)
  return { ...claim, fence: answer.fence, occurredAt: answer.occurredAt }
}

/** Returns the median time of a call in one round, in microseconds. */
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

console.log(`Redis, ${rounds} rounds of ${callsPerRound}, in sequence: median of p50 (minimum … maximum)`)
const bareP50s = costs.get('SET NX PX') ?? []
let kept = true
for (const [name, values] of costs) {
  if (name.startsWith('cpu')) continue
  const ratio = median(values.map((cost, round) => cost / (bareP50s[round] ?? Number.NaN)))
  kept &&= ratio <= maxP50
  console.log(`  ${name.padEnd(20)} ${spread(values, 'µs').padEnd(28)} ${ratio.toFixed(2)} × of SET NX PX`)
}
console.log(`  limit ${maxP50} ×: ${kept ? 'kept' : 'EXCEEDED'}`)

const [ours = [], bare = []] = [costs.get('cpu ours'), costs.get('cpu bare')]
const ratios = ours.map((cost, round) => cost / (bare[round] ?? Number.NaN))
const cpuKept = median(ratios) <= maxCpu
console.log("Node's CPU a message")
console.log(`  begin and commit     ${spread(ours, 'µs')}`)
console.log(`  SET NX and SET       ${spread(bare, 'µs')}`)
console.log(`  ratio                ${spread(ratios, '×', 2)}`)
console.log(`  limit ${maxCpu} ×: ${cpuKept ? 'kept' : 'EXCEEDED'}`)

const send = client.sendCommand.bind(client)
let sent = 0
Object.assign(client, {
  sendCommand(command: string[], options?: object) {
    sent++
    return send(command, options)
  },
})
const claim = await begin('trips')
await ledger.renew(claim, 12)
await ledger.commit(claim, retention)
await ledger.forget('trips')
await ledger.now()
console.log(`Round trips of begin, renew, commit, forget and now: ${sent}`)
const trips = sent

const size = async (key: string) => Number(await send(['MEMORY', 'USAGE', key]))
const [messageId, userId] = ['msg_2tVXqYcJnB8eKwq3hZ5fLmRdA0x', 'diruser_12345678901234567890']
await ledger.commit(
  { ...(await begin(messageId)), resource: `user:org_12345678901234567890:${userId}` },
  retention,
)
const prefix = `{scim:${namespace}}:`
console.log('MEMORY USAGE')
console.log(`  a done message       ${await size(`${prefix}m:${messageId}`)} B`)
console.log(`  a user               ${await size(`${prefix}r:user:org_12345678901234567890:${userId}`)} B`)

await dispatcher.close()
const ownKeys = `{scim:${namespace}}:*`
for await (const keys of client.scanIterator({ MATCH: ownKeys, COUNT: 1000 })) {
  if (keys.length > 0) await client.unlink(keys)
}
await adapter.disconnect()
process.exitCode = kept && cpuKept && trips === 5 ? 0 : 1
