import { createHash } from 'node:crypto'
import { postgresLedgerSchema } from '@scalekit-scim/core'
import { expect, test } from 'vitest'

/** What servers already have under these names. On first use nothing that is there is replaced. */
const known: { readonly [name: string]: string } = {
  scalekit_scim_messages: 'b2c0572a298599a1',
  scalekit_scim_resources: '2d7074d000dd335e',
  scalekit_scim_records: 'e55b01f0d8e0b994',
  scalekit_scim_instant_v1: 'f70d1a961e22cb10',
  scalekit_scim_expiry_v1: '74f18ddcb68b554b',
  scalekit_scim_lock_v1: 'c71d76356f2b18e5',
  scalekit_scim_begin_v1: '1e58988b8abffc3c',
  scalekit_scim_renew_v2: '038eb00f4b299c89',
  scalekit_scim_commit_v1: 'c7c1ae7d6e5161cc',
  scalekit_scim_release_v1: '7a951a8347540583',
  scalekit_scim_forget_v2: 'baa7b7f1c5fa6277',
  scalekit_scim_record_v1: '9319a76f652a59f2',
}

const hint = `A server that has this keeps the text that it has, and during a rolling deploy two versions of the package use it
at once. A function that changes takes the next number (…_v2), and so does each that calls it; its line here is replaced
with the new name's. A table that changes needs a way for the ones that are there, and for the functions that use them.`

test('what is made in PostgreSQL keeps its text as long as it keeps its name', () => {
  expect(digests(), hint).toEqual(known)
})

/** Of each table with its index, and of each function, by its name; comments and line breaks are let be. */
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
