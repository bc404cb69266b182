// Measures each verb of the ledger on Redis, one call at a time. Compares each verb with a bare `SET k v NX PX` of
// the same client. Rounds alternate, so that other load affects all calls equally.
import { randomUUID } from 'node:crypto'
import KeyvRedis from '@keyv/redis'
import { createDispatcher } from '@scalekit-scim/core'
import type { Claim } from '@scalekit-scim/core/adapter'
import Keyv from 'keyv'
import { cpuMs, median, ratios, roundsOr } from './measure.ts'
import { progress, publish } from './report.ts'
import { connectRedis, deleteKeys } from './stores.ts'

const rounds = roundsOr(15)
const warmUpRounds = 3
const callsPerRound = 400
const maxP50 = 1.5
const maxCpu = 1.8

const client = await connectRedis()
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

const bare = 'SET NX PX'
const p50s = new Map<string, number[]>()
const cpu: Record<'ledger' | 'bare', number[]> = { ledger: [], bare: [] }

for (let round = -warmUpRounds; round < rounds; round++) {
  progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`)
  const ids = times.map((time) => `${round}.${time}`)
  const took = new Map<string, number[]>()
  async function time<T>(name: string, call: () => Promise<T>): Promise<T> {
    const from = performance.now()
    const result = await call()
    const tookMicros = (performance.now() - from) * 1000
    const others = took.get(name)
    if (others) others.push(tookMicros)
    else took.set(name, [tookMicros])
    return result
  }
  for (const id of ids) {
    await time(bare, () => setNx(`{scim:${namespace}}:bare:${id}`))
    const claim = await time('begin', () => begin(id))
    await time('renew', () => ledger.renew(claim, 12))
    await time('commit', () => ledger.commit(claim, retention))
    const again = { token: 'another', messageId: id, leaseSeconds: 12 }
    await time('begin (a duplicate)', () => ledger.begin(again))
    await time('forget', () => ledger.forget(id))
    await time('now', () => ledger.now())
    const released = await begin(`r${id}`)
    await time('release', () => ledger.release(released))
  }

  const ledgerMs = await cpuMs(async () => {
    for (const id of ids) await ledger.commit(await begin(`c${id}`), retention)
  })
  const bareMs = await cpuMs(async () => {
    for (const id of ids) {
      await setNx(`{scim:${namespace}}:c${id}`)
      await set(`{scim:${namespace}}:c${id}`)
    }
  })
  if (round < 0) continue
  for (const [name, each] of took) p50s.set(name, [...(p50s.get(name) ?? []), median(each)])
  cpu.ledger.push((ledgerMs * 1000) / callsPerRound)
  cpu.bare.push((bareMs * 1000) / callsPerRound)
}

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
const roundTrips = sent

const size = async (key: string) => Number(await send(['MEMORY', 'USAGE', key]))
const [messageId, userId] = ['msg_2tVXqYcJnB8eKwq3hZ5fLmRdA0x', 'diruser_12345678901234567890']
await ledger.commit(
  { ...(await begin(messageId)), resource: `user:org_12345678901234567890:${userId}` },
  retention,
)
const prefix = `{scim:${namespace}}:`
const messageBytes = await size(`${prefix}m:${messageId}`)
const userBytes = await size(`${prefix}r:user:org_12345678901234567890:${userId}`)

await dispatcher.close()
await deleteKeys(client, `{scim:${namespace}}:*`)
await adapter.disconnect()

const cpuRatio = ratios(cpu.ledger, cpu.bare)
const ofBare = (name: string) => ratios(p50s.get(name) ?? [], p50s.get(bare) ?? [])
publish({
  title: `Ledger on Redis, ${rounds} rounds of ${callsPerRound} calls in sequence`,
  notes: [`MEMORY USAGE of a done message: ${messageBytes} B. Of a user: ${userBytes} B.`],
  columns: [
    { name: 'p50', unit: 'µs', digits: 1 },
    { name: `of ${bare}`, unit: '×', digits: 2 },
    { name: "Node's CPU", unit: 'µs', digits: 1 },
    { name: 'of SET NX and SET', unit: '×', digits: 2 },
  ],
  rows: [
    ...[...p50s].map(([name, values]) => ({ name, cells: { p50: values, [`of ${bare}`]: ofBare(name) } })),
    { name: 'SET NX and SET', cells: { "Node's CPU": cpu.bare } },
    { name: 'begin and commit', cells: { "Node's CPU": cpu.ledger, 'of SET NX and SET': cpuRatio } },
  ],
  verdicts: [
    ...[...p50s.keys()]
      .filter((name) => name !== bare)
      .map((name) => ({ name: `p50, ${name} / ${bare}`, values: ofBare(name), limit: maxP50 })),
    { name: "Node's CPU, begin and commit / SET NX and SET", values: cpuRatio, limit: maxCpu },
    {
      name: 'round trips of begin, renew, commit, forget and now',
      values: [roundTrips],
      limit: 5,
      unit: 'in total',
    },
  ],
})
