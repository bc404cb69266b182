import { ledgerConformance } from '@scalekit-scim/core/testing'
import Keyv6 from 'keyv6'
import { describe, expect, test } from 'vitest'
import { adapterOn, instancesOn, postgresUri, skewedClock } from '../support/postgres.ts'

describe('the contract of a ledger, @keyv/postgres in Keyv 5', () => {
  const instances = instancesOn(postgresUri)
  const open = ({ skewMs }: { skewMs: number }) => instances.open({ clock: skewedClock(skewMs) }).ledger
  for (const { name, run } of ledgerConformance(open, { atomic: true })) test(name, run)
})

describe('the contract of a ledger, @keyv/postgres in Keyv 6', () => {
  const instances = instancesOn(postgresUri)
  const open = ({ skewMs }: { skewMs: number }) =>
    instances.open({ clock: skewedClock(skewMs), store: new Keyv6({ store: adapterOn(postgresUri) }) }).ledger
  for (const { name, run } of ledgerConformance(open, { atomic: true })) test(name, run)
})

test('over PostgreSQL the guarantee is atomic, for messages and order', () => {
  const { guarantee } = instancesOn(postgresUri).open({ requireGuarantee: 'atomic' })
  expect(guarantee).toEqual({ message: 'atomic', order: 'atomic' })
})
