import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { it } from 'node:test'
import { migrate } from '../src/migrations.ts'
import { run } from './processes.ts'
import { onDatabase, ownDatabase, skip } from './servers.ts'

const databaseUrl = skip ? '' : await ownDatabase()

const files = (await readdir(new URL('../migrations/', import.meta.url))).sort()

it('if several migrations begin at the same time, only one of them runs the files', {
  skip,
}, async () => {
  const url = await ownDatabase('at_once')
  const applied = await Promise.all(Array.from({ length: 8 }, () => migrate(url)))
  assert.deepEqual(applied.flat().sort(), files)
})

it('if processes migrate in parallel, each file runs once, in order', { skip }, async (t) => {
  const programs = [1, 2, 3].map(() => run(t, ['src/migrate.ts'], { DATABASE_URL: databaseUrl }))
  assert.deepEqual(await Promise.all(programs.map(({ ended }) => ended)), [0, 0, 0])

  const ran = programs.flatMap(({ output }) => [...output().matchAll(/ran (\S+)/g)].map(([, name]) => name))
  assert.deepEqual(ran.sort(), files)
  const recorded = await onDatabase(databaseUrl, 'SELECT name FROM schema_migrations ORDER BY applied_at')
  assert.deepEqual(
    recorded.map(({ name }) => name),
    files,
  )
  assert.deepEqual(await migrate(databaseUrl), [])
})

it('if the database is unreachable, the exit code is 1', async (t) => {
  const program = run(t, ['src/migrate.ts'], {
    DATABASE_URL: 'postgres://postgres:hunter2@127.0.0.1:1/accounts',
  })
  assert.equal(await program.ended, 1)
  assert.match(program.output(), /ECONNREFUSED/)
  assert.doesNotMatch(program.output(), /hunter2/)
})
