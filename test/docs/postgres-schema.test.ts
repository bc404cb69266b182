import { spawnSync } from 'node:child_process'
import { postgresLedgerSchema } from '@scalekit-scim/core'
import { expect, test } from 'vitest'
import { codeBlocks, readDocument } from './markdown.ts'

test('the command in docs/stores/postgres.md prints the SQL that the package makes', () => {
  const blocks = codeBlocks(readDocument('docs/stores/postgres.md'))
  const command = blocks.find(({ code }) => code.includes('postgresLedgerSchema'))?.code ?? ''
  const [, expression = ''] = /^node -p "(.+)" \| psql/.exec(command) ?? []
  const imports = new URL('source-imports.mjs', import.meta.url).href
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', imports, '--print', expression],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  )
  expect(stderr).toBe('')
  expect(stdout.trimEnd()).toBe(postgresLedgerSchema('public').trimEnd())
})

test('the grants in docs/stores/postgres.md name every table that the package makes', () => {
  const tables = [...postgresLedgerSchema('public').matchAll(/CREATE TABLE IF NOT EXISTS public\.(\w+)/g)]
  const blocks = codeBlocks(readDocument('docs/stores/postgres.md'))
  const grants = blocks.find(({ code }) => code.includes('GRANT SELECT'))?.code ?? ''
  expect(tables.length).toBeGreaterThan(2)
  for (const [, table = ''] of tables) expect(grants).toContain(table)
})
