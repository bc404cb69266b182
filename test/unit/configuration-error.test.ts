import {
  ConfigurationError,
  type ConfigurationErrorCode,
  createDispatcher,
  createReceiver,
  type ReceiverOptions,
} from '@scalekit-scim/core'
import { scalekitFromEnv } from '@scalekit-scim/core/sync'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim as forExpress } from '@scalekit-scim/express'
import Keyv from 'keyv'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const secret = `whsec_${Buffer.from('never to be seen in an error').toString('base64')}`
const options = { secret, logger: false } as const

/** This code needs a project without the SDK, which test/packaging has. */
type WithoutSdk = 'ERR_SCIM_SDK_MISSING'

/** One way to cause each error code, and the fix that the message must name. */
const ways: Record<
  Exclude<ConfigurationErrorCode, WithoutSdk>,
  { run: () => unknown; option: string; hint: RegExp }
> = {
  ERR_SCIM_UNKNOWN_OPTION: {
    run: () => createReceiver({ ...options, onUserUpsertd: () => {} } as ReceiverOptions),
    option: 'onUserUpsertd',
    hint: /did you mean `onUserUpserted`/,
  },
  ERR_SCIM_INVALID_OPTION: {
    run: () => createReceiver({ ...options, deadlineSeconds: Number.NaN }),
    option: 'deadlineSeconds',
    hint: /a number from 0\.05 to 60/,
  },
  ERR_SCIM_INVALID_HANDLER: {
    run: () => createReceiver({ ...options, on: { 'organization.directory.user_created': () => {} } }),
    option: 'on',
    hint: /Use `onUserCreated`/,
  },
  ERR_SCIM_SECRET_MISSING: {
    run: () => createReceiver({ logger: false }),
    option: 'secret',
    hint: /set SCALEKIT_WEBHOOK_SECRET/,
  },
  ERR_SCIM_SECRET_INVALID: {
    run: () => createReceiver({ ...options, secret: `${secret}\n` }),
    option: 'secret',
    hint: /white space.*Scalekit dashboard/,
  },
  ERR_SCIM_STORE_INVALID: {
    run: () => createReceiver({ ...options, store: 'redis://localhost' } as unknown as ReceiverOptions),
    option: 'store',
    hint: /new Keyv\(/,
  },
  ERR_SCIM_GUARANTEE: {
    run: () => createReceiver({ ...options, store: 'memory', requireGuarantee: 'atomic' }),
    option: 'requireGuarantee',
    hint: /docs\/errors\.md/,
  },
  ERR_SCIM_NAMESPACE_IN_USE: {
    run: () => {
      const store = new Keyv()
      createDispatcher({ store, logger: false })
      createReceiver({ ...options, store })
    },
    option: 'namespace',
    hint: /different `namespace` for each/,
  },
  ERR_SCIM_RECEIVER_OPTIONS: {
    run: () => forExpress({ receiver: createReceiver(options), secret }),
    option: 'secret',
    hint: /Pass it to `createReceiver`/,
  },
  ERR_SCIM_API_VARIABLE_MISSING: {
    run: () => scalekitFromEnv({ SCALEKIT_CLIENT_ID: 'skc_1', SCALEKIT_CLIENT_SECRET: secret }),
    option: 'SCALEKIT_ENVIRONMENT_URL',
    hint: /SCALEKIT_ENVIRONMENT_URL is not set.*dashboard/,
  },
}

beforeEach(() => {
  vi.stubEnv('SCALEKIT_WEBHOOK_SECRET', undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

describe.each(Object.entries(ways))('%s', (code, { run, option, hint }) => {
  const thrown = async () => {
    try {
      await run()
    } catch (error) {
      if (error instanceof ConfigurationError) return error
      throw error
    }
    throw new Error('nothing was thrown')
  }

  test('the error is thrown with its code and its option', async () => {
    expect(await thrown()).toMatchObject({ name: 'ConfigurationError', code, option })
  })
  test('the error names the fix', async () => {
    expect((await thrown()).message).toMatch(hint)
  })
  test('the error never holds the secret', async () => {
    const error = await thrown()
    const encoded = secret.slice('whsec_'.length)
    for (const text of [error.message, String(error.stack), JSON.stringify(error)]) {
      expect(text).not.toContain(encoded)
      expect(text).not.toContain('never to be seen')
    }
  })
})

test('no part of an invalid secret is quoted', () => {
  for (const bad of ['whsec_hunter2!!', `${TEST_SECRET}=`, 'hunter2 hunter2']) {
    expect(() => createReceiver({ logger: false, secret: bad })).toThrow(/^(?!.*hunter2)(?!.*c2Nh)/)
  }
})

test('a receiver with an invalid option does not reserve its namespace', () => {
  const store = new Keyv()
  expect(() => createReceiver({ ...options, store, requireGuarantee: 'atomic' })).toThrow(ConfigurationError)
  expect(() => createReceiver({ ...options, store })).not.toThrow()
})

test('a closed receiver releases its namespace', async () => {
  const store = new Keyv()
  await createReceiver({ ...options, store }).close()
  expect(() => createReceiver({ ...options, store })).not.toThrow()
})

test('two namespaces can share a store', () => {
  const store = new Keyv()
  createReceiver({ ...options, store, namespace: 'one' })
  expect(() => createReceiver({ ...options, store, namespace: 'two' })).not.toThrow()
})
