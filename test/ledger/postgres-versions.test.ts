import { createHash } from 'node:crypto'
import { postgresLedgerSchema } from '@scalekit-scim/core'
import { expect, test } from 'vitest'

/**
 * The digests of each table and function. The ledger does not replace an existing table or function with the same name.
 */
const known: { readonly [name: string]: string } = {
  scalekit_scim_messages: 'b2c0572a298599a1',
  scalekit_scim_resources: '2d7074d000dd335e',
  scalekit_scim_records: 'e55b01f0d8e0b994',
  scalekit_scim_instant_v1: 'f70d1a961e22cb10',
  scalekit_scim_expiry_v1: '74f18ddcb68b554b',
  scalekit_scim_lock_v1: 'c71d76356f2b18e5',
  scalekit_scim_begin_v1: 'eef05ead2b82db20',
  scalekit_scim_renew_v1: '1c4fc2e0d3adf582',
  scalekit_scim_commit_v1: '935b448191eb0fa6',
  scalekit_scim_release_v1: '7a951a8347540583',
  scalekit_scim_forget_v1: 'cea932442b4d89f3',
  scalekit_scim_record_v1: '9319a76f652a59f2',
}

const hint = `A server keeps the text that it has, and during a rolling deploy two versions of the package use it at once.
After a release, give a changed function the next number (…_v2), and each function that calls it too. Replace its line
here with the new name's. A changed table needs a migration, and its functions must work with both forms.`

test('the text of a PostgreSQL table or function changes only together with its name', () => {
  expect(digests(), hint).toEqual(known)
})

/** Returns a digest of each table with its index, and of each function, by name. Ignores comments and line breaks. */
function digests(): { [name: string]: string } {
  const statements = postgresLedgerSchema('public')
    .replaceAll(/^ *--.*$/gm, '')
    .replaceAll(/\s+/g, ' ')
    .split(/(?=CREATE (?:TABLE|OR REPLACE FUNCTION))/)
  return Object.fromEntries(
    statements.flatMap((statement) => {
      const name = /public\.(\w+)/.exec(statement)?.[1]
      const digest = createHash('sha256').update(statement.trim()).digest('hex').slice(0, 16)
      return name === undefined ? [] : [[name, digest]]
    }),
  )
}
