import { postgresLedgerSchema } from '@scalekit-scim/core'
import { expect, test } from 'vitest'
import { readDocument } from './markdown.ts'

const { text } = readDocument('docs/stores/postgres.md')

test('docs/stores/postgres.md has the command that prints the SQL', () => {
  expect(text).toContain(`node -p "require('@scalekit-scim/core').postgresLedgerSchema('public')"`)
})

test('docs/stores/postgres.md names each table of the SQL, and grants rights on all of them', () => {
  const tables = [...postgresLedgerSchema().matchAll(/CREATE TABLE IF NOT EXISTS public\.(\w+)/g)]
  const names = tables.map(([, name]) => name ?? '')
  expect(names).toHaveLength(3)
  for (const name of names) expect(text).toContain(`| \`${name}\``)
  expect(text).toContain(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${names.join(', ')} TO app;`)
})
