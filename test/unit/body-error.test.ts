import { createRequire } from 'node:module'
import { createReceiver } from '@scalekit-scim/core'
import { givenBody } from '@scalekit-scim/core/adapter'
import { signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'

const builtForRequire = createRequire(new URL('../../packages/core/dist/', import.meta.url))
const { createReceiver: createBuiltReceiver }: typeof import('@scalekit-scim/core') =
  builtForRequire('./index.cjs')
const { givenBody: builtGivenBody }: typeof import('@scalekit-scim/core/adapter') =
  builtForRequire('./adapter.cjs')

const copies: [string, typeof createReceiver, typeof givenBody][] = [
  ['the sources', createReceiver, givenBody],
  ['what is built for require', createBuiltReceiver, builtGivenBody],
]

test.each(copies)(
  '%s answers too-large if the body reader comes from another copy',
  async (_name, create) => {
    const delivery = signDelivery('a body that is over the limit')
    for (const [, , bodyOf] of copies) {
      const receiver = create({
        secret: TEST_SECRET,
        logger: false,
        bodyLimitBytes: 10,
        onEvent: () => {},
      })
      const { outcome } = await receiver.receive({
        url: '/',
        ...delivery,
        body: bodyOf(delivery.body),
      })
      expect(outcome).toBe('too-large')
    }
  },
)
