import { createDispatcher, type Ledger } from '@scalekit-scim/core'
import { ledgerConformance } from '@scalekit-scim/core/testing'
import Keyv5 from 'keyv'
import Keyv6 from 'keyv6'
import { describe, expect, test } from 'vitest'
import { faultyStore } from '../support/faulty-store.ts'

const memory = createDispatcher({ logger: false, store: 'memory' }).ledger
const onMap5 = createDispatcher({ logger: false, store: new Keyv5() }).ledger
const onMap6 = createDispatcher({ logger: false, store: new Keyv6() }).ledger
const anyKeyv = createDispatcher({ logger: false, store: faultyStore().keyv, storeTimeoutSeconds: 5 }).ledger

const ledgers: { name: string; ledger: Ledger }[] = [
  { name: 'memory', ledger: memory },
  { name: 'a Map in Keyv 5', ledger: onMap5 },
  { name: 'a Map in Keyv 6', ledger: onMap6 },
  { name: 'any other Keyv', ledger: anyKeyv },
]

describe.each(ledgers)('the contract of a ledger, $name', ({ ledger }) => {
  for (const { name, run } of ledgerConformance(() => ledger)) test(name, run)
})

test('a Map in either Keyv has the guarantee process; any other Keyv has best-effort', () => {
  expect([memory, onMap5, onMap6, anyKeyv].map((ledger) => ledger.guarantee.message)).toEqual([
    'process',
    'process',
    'process',
    'best-effort',
  ])
})
