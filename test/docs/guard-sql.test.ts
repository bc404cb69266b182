import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { reachablePostgres } from '../support/postgres.ts'
import { codeBlocks, readDocument, sectionUnder } from './markdown.ts'

// The guard of the README, as it stands there, on real databases. On SQLite with `?1`, as it says.

const [guard = ''] = codeBlocks({
  path: 'README.md',
  text: sectionUnder(readDocument('README.md'), 'What is promised'),
}).map(({ code }) => code)

interface Row {
  email: string | null
  active: boolean | null
  deleted: boolean
}

/** Writes what an event says and tells what the row is then. */
type Write = (event: Partial<Row> & { at: string }) => Promise<Row>

const columns = `organization_id TEXT, id TEXT, email TEXT, active BOOLEAN, deleted BOOLEAN NOT NULL,
  occurred_at TEXT NOT NULL, PRIMARY KEY (organization_id, id)`
const key = ['org_1', 'diruser_1']

async function onSqlite(): Promise<Write> {
  const database = new DatabaseSync(':memory:')
  onTestFinished(() => database.close())
  database.exec(`CREATE TABLE accounts (${columns})`)
  const bit = (value: boolean | null) => (value === null ? null : Number(value))
  return async ({ email = null, active = null, deleted = false, at }) => {
    database.prepare(guard.replaceAll('$', '?')).run(...key, email, bit(active), bit(deleted), at)
    const row = database.prepare('SELECT email, active, deleted FROM accounts').get()
    return {
      email: row?.email === null ? null : String(row?.email),
      active: row?.active === null ? null : Boolean(row?.active),
      deleted: Boolean(row?.deleted),
    }
  }
}

const postgres = await reachablePostgres()

async function onPostgres(): Promise<Write> {
  const client = new pg.Client({ connectionString: postgres })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(`CREATE TEMPORARY TABLE accounts (${columns})`)
  return async ({ email = null, active = null, deleted = false, at }) => {
    await client.query(guard, [...key, email, active, deleted, at])
    const { rows } = await client.query<Row>('SELECT email, active, deleted FROM accounts')
    return rows[0] ?? expect.fail('there is no row')
  }
}

describe.each([
  ['SQLite', onSqlite, true],
  ['PostgreSQL', onPostgres, postgres !== undefined],
] as const)('the guard of the README on %s', (_name, open, isThere) => {
  const ada = { email: 'ada@acme.example', active: false, deleted: false }

  test.skipIf(!isThere)('leaves what the row has where the event does not say it', async () => {
    const write = await open()
    await write({ ...ada, at: '1' })
    expect(await write({ at: '2' })).toEqual(ada)
    expect(await write({ active: true, at: '3' })).toEqual({ ...ada, active: true })
    expect(await write({ email: 'ada.hart@acme.example', at: '3' })).toEqual({
      email: 'ada.hart@acme.example',
      active: true,
      deleted: false,
    })
  })

  test.skipIf(!isThere)(
    'keeps out what is older, and what would undo a deletion of the same time',
    async () => {
      const write = await open()
      const gone = { email: null, active: null, deleted: true }
      await write({ ...ada, at: '2' })
      expect(await write({ email: 'old@acme.example', at: '1' })).toEqual(ada)
      expect(await write({ deleted: true, at: '2' })).toEqual(gone)
      expect(await write({ ...ada, at: '2' })).toEqual(gone)
      expect(await write({ ...ada, at: '1' })).toEqual(gone)
    },
  )

  test.skipIf(!isThere)('keeps a deletion that comes before its creation', async () => {
    const write = await open()
    await write({ deleted: true, at: '2' })
    expect(await write({ ...ada, at: '1' })).toMatchObject({ deleted: true })
  })

  test.skipIf(!isThere)('begins anew with somebody who returns', async () => {
    const write = await open()
    await write({ ...ada, at: '1' })
    await write({ email: ada.email, deleted: true, at: '2' })
    expect(await write({ email: 'ada.hart@acme.example', at: '3' })).toEqual({
      email: 'ada.hart@acme.example',
      active: null,
      deleted: false,
    })
  })
})
