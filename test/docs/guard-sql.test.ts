import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { reachablePostgres } from '../support/postgres.ts'
import { codeBlocks, readDocument, root, sectionUnder } from './markdown.ts'

// The statements of the guide run as printed on real databases. On SQLite they run with `?1`, as in the guide.

const guide = readDocument('docs/guides/database-guard.md')
const blocksUnder = (heading: string) =>
  codeBlocks({ path: guide.path, text: sectionUnder(guide, heading) }).map(({ code }) => code)
const [createTable = '', guard = ''] = blocksUnder('SQL')

/** The folder is below test/, so that the blocks find their packages. */
const folder = mkdtempSync(join(root, 'test', 'docs', '.cache-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Row {
  email: string | null
  active: boolean | null
  deleted: boolean
}

/** Writes the values of an event, and returns the resulting row. */
type Write = (event: Partial<Row> & { at: string }) => Promise<Row>

const [organizationId, id] = ['org_1', 'diruser_1']

async function onSqlite(): Promise<Write> {
  const database = new DatabaseSync(':memory:')
  onTestFinished(() => database.close())
  database.exec(createTable)
  const bit = (value: boolean | null) => (value === null ? null : Number(value))
  return async ({ email = null, active = null, deleted = false, at }) => {
    database.prepare(guard.replaceAll('$', '?')).run(organizationId, id, email, bit(active), bit(deleted), at)
    const row = database.prepare('SELECT email, active, deleted FROM accounts').get()
    return {
      email: row?.email === null ? null : String(row?.email),
      active: row?.active === null ? null : Boolean(row?.active),
      deleted: Boolean(row?.deleted),
    }
  }
}

const postgres = await reachablePostgres()

type Change = Row & { organizationId: string; id: string; occurredAt: string }

async function onPostgres(save: (client: pg.Client, change: Change) => Promise<unknown>): Promise<Write> {
  const client = new pg.Client({ connectionString: postgres })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(createTable.replace('CREATE TABLE', 'CREATE TEMPORARY TABLE'))
  return async ({ email = null, active = null, deleted = false, at }) => {
    await save(client, { organizationId, id, email, active, deleted, occurredAt: at })
    const { rows } = await client.query<Row>('SELECT email, active, deleted FROM accounts')
    return rows[0] ?? expect.fail('there is no row')
  }
}

const onPostgresWithSql = () =>
  onPostgres((client, { email, active, deleted, occurredAt }) =>
    client.query(guard, [organizationId, id, email, active, deleted, occurredAt]),
  )

async function onPostgresWithDrizzle() {
  const { saveAccount } = await printedModule('Drizzle')
  return onPostgres((client, change) => saveAccount(drizzle(client), change))
}

async function onPostgresWithPrisma() {
  const { saveAccount } = await printedModule('Prisma')
  return onPostgres((client, change) => saveAccount(prismaOn(client), change))
}

/** Returns the last TypeScript block of a section, as a module. */
async function printedModule(heading: string) {
  const path = join(folder, `${heading}.ts`)
  writeFileSync(path, blocksUnder(heading).at(-1) ?? '')
  return import(path)
}

/** Sends a template as Prisma does, with each value as a parameter. */
function prismaOn(client: pg.Client) {
  return {
    async $executeRaw(parts: TemplateStringsArray, ...values: unknown[]) {
      const text = parts.reduce((before, part, index) => `${before}$${index}${part}`)
      return (await client.query(text, values)).rowCount
    },
  }
}

describe.each([
  ['SQL on SQLite', onSqlite, true],
  ['SQL on PostgreSQL', onPostgresWithSql, postgres !== undefined],
  ['Drizzle on PostgreSQL', onPostgresWithDrizzle, postgres !== undefined],
  ["Prisma's statement on PostgreSQL", onPostgresWithPrisma, postgres !== undefined],
] as const)('the guard of the guide in %s', (_name, open, isThere) => {
  const ada = { email: 'ada@acme.example', active: false, deleted: false }

  test.skipIf(!isThere)('the guard keeps the values that an event does not have', async () => {
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

  test.skipIf(!isThere)('the guard refuses older events, and updates at the time of a deletion', async () => {
    const write = await open()
    const gone = { email: null, active: null, deleted: true }
    await write({ ...ada, at: '2' })
    expect(await write({ email: 'old@acme.example', at: '1' })).toEqual(ada)
    expect(await write({ deleted: true, at: '2' })).toEqual(gone)
    expect(await write({ ...ada, at: '2' })).toEqual(gone)
    expect(await write({ ...ada, at: '1' })).toEqual(gone)
  })

  test.skipIf(!isThere)('the guard stores a deletion that arrives before the creation', async () => {
    const write = await open()
    await write({ deleted: true, at: '2' })
    expect(await write({ ...ada, at: '1' })).toMatchObject({ deleted: true })
  })

  test.skipIf(!isThere)('the guard begins with an empty row if a deleted person returns', async () => {
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
