import { postgresLedgerSchema } from '@scalekit-scim/core'
import { expect, test } from 'vitest'
import { readDocument } from './markdown.ts'

test('the SQL in docs/stores/postgres.md is what the package makes', () => {
  expect(readDocument('docs/stores/postgres.md').text).toContain(
    `## The SQL\n\n\`\`\`sql\n${postgresLedgerSchema().trimEnd()}\n\`\`\`\n`,
  )
})
