// Compares begin and commit on PostgreSQL with 10,000 and with 3,000,000 stored messages and resources.
import KeyvPostgres from '@keyv/postgres'
import { createDispatcher, type Dispatcher } from '@scalekit-scim/core'
import Keyv from 'keyv'
import { progress } from '../report.ts'
import { postgresUrl } from '../stores.ts'
import {
  compare,
  count,
  few,
  type Loaded,
  loadedAt,
  loadedToken,
  many,
  requireLoaded,
  retention,
  withCleanUp,
} from './compare.ts'

const namespace = 'bench-growth'
const chunk = 100_000
const schemas = new Map([
  [few, 'scalekit_scim_growth_few'],
  [many, 'scalekit_scim_growth_many'],
])

const admin = new KeyvPostgres({ uri: postgresUrl, max: 2 })
const dispatchers: Dispatcher[] = []

/** Writes done messages and resources as scalekit_scim_commit_v1 writes them. */
async function load(schema: string, from: number, to: number): Promise<void> {
  const series = `generate_series(${from}, ${to - 1}) AS index`
  await admin.query(`INSERT INTO ${schema}.scalekit_scim_messages (namespace, id, token, done, expires_at)
    SELECT '${namespace}', 'msg_' || lpad(index::text, 27, '0'), '${loadedToken}', true,
      clock_timestamp() + interval '${retention.retentionSeconds} s' FROM ${series}`)
  await admin.query(`INSERT INTO ${schema}.scalekit_scim_resources
      (namespace, id, fence, watermark, tombstone, applied_at, expires_at)
    SELECT '${namespace}', 'user:org_64373838838:diruser_' || lpad(index::text, 18, '0'),
      (extract(epoch FROM now()) * 1000000)::bigint, '${loadedAt}', false,
      ${schema}.scalekit_scim_instant_v1(now()),
      ${schema}.scalekit_scim_expiry_v1(now(), ${retention.watermarkRetentionSeconds}) FROM ${series}`)
}

async function loaded(size: number, signal: AbortSignal): Promise<Loaded> {
  const schema = schemas.get(size) ?? ''
  const adapter = new KeyvPostgres({ uri: postgresUrl, schema, max: 2 })
  const dispatcher = createDispatcher({ store: new Keyv(adapter), namespace, logger: false })
  dispatchers.push(dispatcher)
  const { ledger } = dispatcher
  // The first call creates the tables.
  await ledger.now()
  for (let from = 0; from < size && !signal.aborted; from += chunk) {
    progress(`loading ${count(from)} of ${count(size)}`)
    await load(schema, from, Math.min(from + chunk, size))
  }
  for (const table of ['messages', 'resources']) {
    await admin.query(`VACUUM (ANALYZE) ${schema}.scalekit_scim_${table}`)
  }
  await requireLoaded({ size, ledger })
  return { size, ledger }
}

async function dropSchemas(): Promise<void> {
  for (const schema of schemas.values()) await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
}

await withCleanUp(
  async (signal) => {
    await dropSchemas()
    const both = [await loaded(few, signal), await loaded(many, signal)]
    await compare(
      'PostgreSQL',
      both,
      'The same server with two schemas, because namespaces share the tables and their indexes. Loaded tables are vacuumed.',
    )
  },
  async () => {
    for (const dispatcher of dispatchers) await dispatcher.close()
    await dropSchemas()
    await admin.disconnect()
  },
)
