// Measures each verb of the ledger on PostgreSQL, one call at a time. Compares each verb with a bare INSERT on the
// same pool. Rounds alternate, so that other load affects all calls equally.
import KeyvPostgres from '@keyv/postgres'
import { createDispatcher, type Ledger } from '@scalekit-scim/core'
import type { Claim } from '@scalekit-scim/core/adapter'
import Keyv from 'keyv'
import { cpuMs, median, ratios, roundsOr } from './measure.ts'
import { progress, publish } from './report.ts'
import { postgresUrl } from './stores.ts'

const rounds = roundsOr(9)
const callsPerRound = 200
const warmUpRounds = 2
const limitRatio = 2.3
const verbs = ['begin', 'renew', 'commit', 'release', 'duplicate', 'now'] as const
const inserts = ['INSERT', 'unsynced'] as const
type Measured = (typeof verbs)[number] | (typeof inserts)[number]

const adapter = new KeyvPostgres({ uri: postgresUrl, max: 2 })
const unsyncedUrl = new URL(postgresUrl)
unsyncedUrl.searchParams.set('application_name', 'unsynced')
/**
 * This pool is for an INSERT that does not wait for the disk. Only `commit` waits for the disk. On a slow disk, the
 * other verbs look too fast next to an INSERT that waits.
 */
const unsynced = new KeyvPostgres({
  uri: unsyncedUrl.href,
  max: 1,
  allowExitOnIdle: true,
  options: '-c synchronous_commit=off',
})
const dispatcher = createDispatcher({
  store: new Keyv(adapter),
  namespace: `bench-${process.pid}`,
  logger: false,
})
const { ledger } = dispatcher
const keep = { retentionSeconds: 600, watermarkRetentionSeconds: 600 }
let serial = 0

async function begin(on: Ledger): Promise<Claim> {
  const claim = { token: `t.${serial}`, messageId: `msg_2KWPBgLlAfxdpx2AI54p${serial++}`, deletion: false }
  const resource = `user:org_64373838838:diruser_${serial % 100_000}`
  const answer = await on.begin({ ...claim, resource, leaseSeconds: 12 })
  if (answer.state !== 'begun') throw new Error(`the benchmark's own message was ${answer.state}`)
  return { ...claim, resource, fence: answer.fence, occurredAt: answer.occurredAt }
}

const insert = `INSERT INTO scalekit_scim_bench (namespace, id, expires_at)
  VALUES ($1, $2, now() + interval '10 min') ON CONFLICT (namespace, id) DO NOTHING`
async function bareInsert(on = adapter): Promise<void> {
  await on.query(insert, ['bench', `msg_2KWPBgLlAfxdpx2AI54p${serial++}`])
}

const p50s = noTimes()
const cpu: Record<'inserts' | 'ledger', number[]> = { inserts: [], ledger: [] }

function noTimes(): Record<Measured, number[]> {
  return { INSERT: [], unsynced: [], begin: [], renew: [], commit: [], release: [], duplicate: [], now: [] }
}

async function time<T>(times: number[], work: () => Promise<T>): Promise<T> {
  const from = performance.now()
  const result = await work()
  times.push(performance.now() - from)
  return result
}

async function round(measured: boolean): Promise<void> {
  const times = noTimes()
  for (let call = 0; call < callsPerRound; call++) {
    await time(times.INSERT, () => bareInsert())
    await time(times.unsynced, () => bareInsert(unsynced))
    const claim = await time(times.begin, () => begin(ledger))
    await time(times.renew, () => ledger.renew(claim, 12))
    await time(times.commit, () => ledger.commit(claim, keep))
    await time(times.duplicate, () => ledger.begin({ ...claim, leaseSeconds: 12 }))
    await time(times.now, () => ledger.now())
    const released = await begin(ledger)
    await time(times.release, () => ledger.release(released))
  }
  if (!measured) return
  for (const name of [...inserts, ...verbs]) p50s[name].push(median(times[name]) * 1000)
}

async function cpuRound(measured: boolean): Promise<void> {
  const inserting = await cpuMs(async () => {
    for (let call = 0; call < callsPerRound; call++) {
      await bareInsert()
      await bareInsert()
    }
  })
  const beginning = await cpuMs(async () => {
    for (let call = 0; call < callsPerRound; call++) await ledger.commit(await begin(ledger), keep)
  })
  if (!measured) return
  cpu.inserts.push((inserting * 1000) / callsPerRound)
  cpu.ledger.push((beginning * 1000) / callsPerRound)
}

await adapter.query(`CREATE TABLE IF NOT EXISTS scalekit_scim_bench (
  namespace text NOT NULL, id text NOT NULL, expires_at timestamptz NOT NULL, PRIMARY KEY (namespace, id))`)
for (let index = -warmUpRounds; index < rounds; index++) {
  progress(index < 0 ? 'warming up' : `round ${index + 1} of ${rounds}`)
  await round(index >= 0)
  await cpuRound(index >= 0)
}
await adapter.query('DROP TABLE scalekit_scim_bench')
for (const table of ['messages', 'resources']) {
  await adapter.query(`DELETE FROM scalekit_scim_${table} WHERE namespace = $1`, [`bench-${process.pid}`])
}
await dispatcher.close()
await adapter.disconnect()

const ratio = (name: Measured, to: Measured) => ratios(p50s[name], p50s[to])
const cpuRatio = ratios(cpu.ledger, cpu.inserts)
publish({
  title: `Ledger on PostgreSQL, ${rounds} rounds of ${callsPerRound} calls in sequence`,
  notes: [
    "'unsynced' is an INSERT that does not wait for the disk. Of the verbs, only commit waits for the disk.",
  ],
  columns: [
    { name: 'p50', unit: 'µs', digits: 0 },
    { name: 'of INSERT', unit: '×', digits: 2 },
    { name: 'of unsynced', unit: '×', digits: 2 },
    { name: "Node's CPU", unit: 'µs', digits: 0 },
    { name: 'of two INSERTs', unit: '×', digits: 2 },
  ],
  rows: [
    ...[...inserts, ...verbs].map((name) => ({
      name,
      cells: {
        p50: p50s[name],
        'of INSERT': ratio(name, 'INSERT'),
        'of unsynced': ratio(name, 'unsynced'),
      },
    })),
    { name: 'two INSERTs', cells: { "Node's CPU": cpu.inserts } },
    { name: 'begin and commit', cells: { "Node's CPU": cpu.ledger, 'of two INSERTs': cpuRatio } },
  ],
  verdicts: verbs.map((name) => ({
    name: `p50, ${name} / INSERT`,
    values: ratio(name, 'INSERT'),
    limit: limitRatio,
  })),
})
