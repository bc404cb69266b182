import { createDispatcher } from '@scalekit-scim/core'
import { expect, test } from 'vitest'
import { faultyStore } from '../support/faulty-store.ts'

test('a dispatcher closes and releases its namespace if the `off` of its Keyv throws', async () => {
  const { keyv } = faultyStore()
  const store = Object.assign(Object.create(keyv), {
    off() {
      throw new Error('no listener')
    },
  })
  const open = () => createDispatcher({ logger: false, store, onEvent: () => {} })
  await expect(open().close()).resolves.toBeUndefined()
  await open().close()
})
