import { createRequire } from 'node:module'
import { createReceiver, givenBody } from '@scalekit-scim/core'
import { signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'

type Core = typeof import('@scalekit-scim/core')
const built = new URL('../../packages/core/dist/index.cjs', import.meta.url)
const cjs: Core = createRequire(import.meta.url)(built.pathname)

const copies: [string, Pick<Core, 'createReceiver' | 'givenBody'>][] = [
  ['the sources', { createReceiver, givenBody }],
  ['what is built for require', cjs],
]

test.each(copies)(
  'a body that is over the limit is told so where its reader is of another copy than %s',
  async (_name, core) => {
    const delivery = signDelivery('a body that is over the limit')
    for (const [, adapter] of copies) {
      const receiver = core.createReceiver({
        secret: TEST_SECRET,
        logger: false,
        bodyLimitBytes: 10,
        onEvent: () => {},
      })
      const { outcome } = await receiver.receive({
        url: '/',
        ...delivery,
        body: adapter.givenBody(delivery.body),
      })
      expect(outcome).toBe('too-large')
    }
  },
)
