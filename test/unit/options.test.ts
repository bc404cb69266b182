import KeyvRedis from '@keyv/redis'
import { createDispatcher, createReceiver, type ReceiverOptions } from '@scalekit-scim/core'
import { createFakeClock, sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim as forExpress } from '@scalekit-scim/express'
import { scalekitScim as forFastify } from '@scalekit-scim/fastify'
import Fastify from 'fastify'
import { Keyv } from 'keyv'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { recordingLogger } from './recording-logger.ts'

const good = { secret: TEST_SECRET, logger: false, onUserUpserted: () => {} } as const

/** Passes options without types, as JavaScript can. */
const make = (options: object) => createReceiver({ ...good, ...options } as ReceiverOptions)

function refusal(option: string, code = 'ERR_SCIM_INVALID_OPTION') {
  return expect.objectContaining({
    name: 'ConfigurationError',
    code,
    option,
    message: expect.stringContaining(`\`${option}\``),
  })
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('an option that is a number', () => {
  const limits = {
    leaseSeconds: { min: 0.05, max: 3600 },
    handlerTimeoutSeconds: { min: 0.05, max: 604_800 },
    retentionSeconds: { min: 1, max: 315_360_000 },
    watermarkRetentionSeconds: { min: 1, max: 315_360_000 },
    storeTimeoutSeconds: { min: 0.01, max: 60 },
    bodyLimitBytes: { min: 1, max: 1_073_741_824 },
    toleranceSeconds: { min: 1, max: 604_800 },
    deadlineSeconds: { min: 0.05, max: 60 },
  }
  /** With these values, the limit of another option does not apply first. */
  const companions: { [name: string]: object } = {
    leaseSeconds: { storeTimeoutSeconds: 0.01 },
    storeTimeoutSeconds: { leaseSeconds: 3600 },
  }

  describe.each(Object.entries(limits))('%s', (name, { min, max }) => {
    test.each([
      ['text from the environment', '9'],
      ['empty text', ''],
      ['NaN', Number.NaN],
      ['infinite', Number.POSITIVE_INFINITY],
      ['negative', -1],
      ['zero', 0],
      ['null', null],
      ['a bigint', 9n],
      ['true', true],
      ['an object', {}],
      ['a list', [9]],
      ['below its minimum', min * 0.9],
      ['over its maximum', max + 1],
    ])('the option is refused when it is %s', (_name, value) => {
      expect(() => make({ ...companions[name], [name]: value })).toThrow(refusal(name))
    })

    test.each([
      ['its minimum', min],
      ['its maximum', max],
      ['undefined, which counts as omitted', undefined],
    ])('the option may be %s', (_name, value) => {
      expect(() => make({ ...companions[name], [name]: value })).not.toThrow()
    })
  })

  test('storeTimeoutSeconds is refused over half of leaseSeconds', () => {
    expect(() => make({ leaseSeconds: 4, storeTimeoutSeconds: 2 })).not.toThrow()
    expect(() => make({ leaseSeconds: 4, storeTimeoutSeconds: 2.1 })).toThrow(refusal('storeTimeoutSeconds'))
  })

  test('a deadlineSeconds of 10 or more is logged as a warning', () => {
    const { logger, lines } = recordingLogger()
    make({ logger, deadlineSeconds: 10 })
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('`deadlineSeconds`') }),
    )
  })
})

describe('an option of another kind', () => {
  test.each<[name: string, value: unknown]>([
    ['requireGuarantee', 'Atomic'],
    ['requireGuarantee', 'best-effort'],
    ['requireGuarantee', true],
    ['requireGuarantee', null],
    ['ordering', 'fifo'],
    ['ordering', false],
    ['ordering', null],
    ['namespace', ''],
    ['namespace', 'two words'],
    ['namespace', 'a{b}'],
    ['namespace', 'a\u0000'],
    ['namespace', 'n'.repeat(65)],
    ['namespace', 7],
    ['namespace', null],
    ['onOutcome', 'log'],
    ['onOutcome', null],
    ['logger', 'debug'],
    ['logger', true],
    ['logger', null],
    ['clock', Date],
    ['clock', 0],
    ['clock', null],
    ['clock', {}],
  ])('%s refuses %o', (name, value) => {
    expect(() => make({ [name]: value })).toThrow(refusal(name))
  })

  test.each([
    ['null', null],
    ['false', false],
    ['text', 'redis://localhost'],
    ['an empty object', {}],
    ['a client that is neither Keyv nor ledger', { get() {}, set() {} }],
  ])('store refuses %s', (_name, store) => {
    expect(() => make({ store })).toThrow(refusal('store', 'ERR_SCIM_STORE_INVALID'))
  })

  test.each([
    ['requireGuarantee', 'process'],
    ['ordering', 'none'],
    ['namespace', 'n'.repeat(64)],
    ['namespace', 'my-app:eu.1'],
    ['store', 'memory'],
    ['onOutcome', () => {}],
    ['clock', createFakeClock()],
  ])('%s accepts %o', (name, value) => {
    expect(() => make({ [name]: value })).not.toThrow()
  })

  test.each(['store', 'namespace', 'requireGuarantee', 'ordering', 'logger', 'onOutcome', 'clock', 'on'])(
    '%s counts as omitted if it is undefined',
    (name) => {
      vi.spyOn(console, 'warn').mockImplementation(() => {})
      expect(() => make({ [name]: undefined })).not.toThrow()
    },
  )

  test.each([
    ['nothing', null],
    ['text', 'secret'],
    ['a number', 1],
    ['a function', () => {}],
  ])('the options cannot be %s', (_name, options) => {
    const refused = expect.objectContaining({
      name: 'ConfigurationError',
      code: 'ERR_SCIM_INVALID_OPTION',
      message: expect.stringContaining('must be an object'),
    })
    expect(() => createReceiver(options as unknown as ReceiverOptions)).toThrow(refused)
    expect(() => forExpress(options as unknown as ReceiverOptions)).toThrow(refused)
  })

  test('the options can have no prototype', () => {
    const options = Object.assign(Object.create(null), good)
    expect(() => createReceiver(options)).not.toThrow()
    expect(() => createReceiver(Object.assign(options, { secret: undefined }))).toThrow(
      expect.objectContaining({ code: 'ERR_SCIM_SECRET_MISSING' }),
    )
  })
})

describe('an unknown option', () => {
  test.each([
    ['onUserUpdate', 'onUserUpdated'],
    ['onUserUpsert', 'onUserUpserted'],
    ['onuserupserted', 'onUserUpserted'],
    ['onUserDisabled', undefined],
    ['onGroupUpsertd', 'onGroupUpserted'],
    ['secrets', 'secret'],
    ['signingSecret', 'secret'],
    ['tolerance', 'toleranceSeconds'],
    ['bodyLimit', 'bodyLimitBytes'],
    ['verbose', undefined],
    ['o', undefined],
    ['toleranceSecond', 'toleranceSeconds'],
    ['bodyLimitByte', 'bodyLimitBytes'],
    ['nameSpace', 'namespace'],
    ['stores', 'store'],
    ['x', undefined],
  ])('%s is refused, and the message suggests %s', (name, meant) => {
    const error = refusedWith(() => make({ [name]: () => {} }))
    expect(error).toEqual(refusal(name, 'ERR_SCIM_UNKNOWN_OPTION'))
    if (meant) expect(error.message).toContain(`did you mean \`${meant}\`?`)
    else expect(error.message).not.toContain('did you mean')
  })

  test('an unknown option is refused even if its value is undefined', () => {
    expect(() => make({ onUserUpdate: undefined })).toThrow(
      refusal('onUserUpdate', 'ERR_SCIM_UNKNOWN_OPTION'),
    )
  })

  test.each(['constructor', 'toString', '__proto__'])('an unknown option can be the inherited %s', (name) => {
    const options: unknown = JSON.parse(`{"${name}": 1}`)
    expect(() => createDispatcher(options as object)).toThrow(refusal(name, 'ERR_SCIM_UNKNOWN_OPTION'))
  })

  test('an unknown option can be an option of the receiver that a dispatcher gets', () => {
    const options = { ...good } as object
    expect(() => createDispatcher(options)).toThrow(refusal('secret', 'ERR_SCIM_UNKNOWN_OPTION'))
  })

  test('an unknown option is refused by an adapter, which accepts its own options', () => {
    expect(() => forExpress({ ...good, path: '/hooks' })).not.toThrow()
    expect(() => forExpress({ ...good, pathh: '/hooks' } as object)).toThrow(
      refusal('pathh', 'ERR_SCIM_UNKNOWN_OPTION'),
    )
  })

  test.each([
    ['paths', 'path'],
    ['reciever', 'receiver'],
  ])('a name like an option of the adapter is refused with a suggestion: %s', async (name, meant) => {
    const options = { ...good, [name]: '/hooks' } as object
    const suggestion = `There is no option \`${name}\`; did you mean \`${meant}\`?`
    expect(() => forExpress(options)).toThrow(suggestion)
    await expect(async () => Fastify().register(forFastify, options)).rejects.toThrow(suggestion)
  })

  test('an adapter with a shared receiver calls an unknown option unknown', () => {
    expect(() => forExpress({ receiver: make({}), pathh: '/hooks' } as object)).toThrow(
      refusal('pathh', 'ERR_SCIM_UNKNOWN_OPTION'),
    )
  })

  test.each(['handlers', 'redis', '_events'])(
    'the error for a name unlike any option links to the page of errors: %s',
    (name) => {
      expect(refusedWith(() => make({ [name]: {} })).message).toBe(
        `There is no option \`${name}\`. ERR_SCIM_UNKNOWN_OPTION in node_modules/@scalekit-scim/core/docs/errors.md lists the usual causes.`,
      )
    },
  )
})

describe('the path', () => {
  const express = (path: unknown) => () => forExpress({ ...good, path } as object)
  const fastify = async (path: unknown) => {
    const app = Fastify()
    try {
      await app.register(forFastify, { ...good, path } as object)
    } finally {
      await app.close()
    }
  }

  test.each([
    ['relative', 'webhooks/scalekit'],
    ['empty', ''],
    ['a URL', 'https://acme.example/webhooks/scalekit'],
    ['with a query', '/hooks?env=live'],
    ['an expression', /hooks/],
    ['a list', ['/a', '/b']],
    ['null', null],
  ])('the path is refused when it is %s', async (_name, path) => {
    expect(express(path)).toThrow(refusal('path'))
    await expect(fastify(path)).rejects.toThrow(refusal('path'))
  })

  test('the path can be false only in Express', async () => {
    expect(express(false)).not.toThrow()
    await expect(fastify(false)).rejects.toThrow(refusal('path'))
  })

  test.each(['/hooks/:env', '/:env/hooks', '/hooks/*', '/hooks{/:env}'])(
    'the path cannot be the pattern %s in Express, and the message names `path: false`',
    (pattern) => {
      const error = refusedWith(express(pattern))
      expect(error).toEqual(refusal('path'))
      expect(error.message).toContain('`app.post(')
      expect(error.message).toContain('path: false')
    },
  )

  test('the path can be a pattern in Fastify', async () => {
    await expect(fastify('/hooks/:env')).resolves.toBeUndefined()
  })

  test('the path can have a colon within a segment', () => {
    expect(express('/v1/directory:receive')).not.toThrow()
  })
})

describe('the secret', () => {
  const withSecret = (secret: unknown) => () => make({ secret })
  const accepts = async (options: ReceiverOptions) => {
    const receiver = createReceiver({ logger: false, onUserUpserted: () => {}, ...options })
    const delivery = signDelivery(sampleEvent('organization.directory.user_created'))
    return (await receiver.receive({ url: '/', ...delivery })).outcome === 'processed'
  }

  test('without the option, the secret comes from SCALEKIT_WEBHOOK_SECRET', async () => {
    vi.stubEnv('SCALEKIT_WEBHOOK_SECRET', TEST_SECRET)
    expect(await accepts({})).toBe(true)
  })

  test('the option `secret` overrides SCALEKIT_WEBHOOK_SECRET', async () => {
    vi.stubEnv('SCALEKIT_WEBHOOK_SECRET', 'whsec_b3RoZXIgc2VjcmV0IG9mIHR3ZW50eS1mb3VyIGJ5dGVz')
    expect(await accepts({ secret: TEST_SECRET })).toBe(true)
  })

  test('the secret is required in one of the two places, and the message names both', () => {
    vi.stubEnv('SCALEKIT_WEBHOOK_SECRET', undefined)
    const error = refusedWith(() => createReceiver({ logger: false }))
    expect(error).toMatchObject({ code: 'ERR_SCIM_SECRET_MISSING', option: 'secret' })
    expect(error.message).toContain('SCALEKIT_WEBHOOK_SECRET')
    expect(error.message).toContain('`secret`')
  })

  test('the secret cannot be empty in the environment, and the message names the variable', () => {
    vi.stubEnv('SCALEKIT_WEBHOOK_SECRET', '')
    const error = refusedWith(() => createReceiver({ logger: false }))
    expect(error.message).toContain('SCALEKIT_WEBHOOK_SECRET')
  })

  test.each([undefined, null])(
    'the secret is refused if it is present but %s, and the environment is not used',
    (secret) => {
      vi.stubEnv('SCALEKIT_WEBHOOK_SECRET', TEST_SECRET)
      expect(withSecret(secret)).toThrow(expect.objectContaining({ code: 'ERR_SCIM_SECRET_MISSING' }))
    },
  )

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['an empty list', []],
  ])('a secret that is %s is named as such in the message', (name, secret) => {
    expect(withSecret(secret)).toThrow(`\`secret\` is present but ${name}.`)
  })

  test('an adapter refuses a secret that is present but undefined', () => {
    vi.stubEnv('SCALEKIT_WEBHOOK_SECRET', TEST_SECRET)
    const options = { onUserUpserted: () => {}, secret: undefined } as object
    expect(() => forExpress(options)).toThrow(expect.objectContaining({ code: 'ERR_SCIM_SECRET_MISSING' }))
  })

  test('the secret cannot be an empty list', () => {
    expect(withSecret([])).toThrow(expect.objectContaining({ code: 'ERR_SCIM_SECRET_MISSING' }))
  })

  const long = Buffer.from('a key of thirty-two random bytes')
  test.each([
    ['empty', ''],
    ['whsec_ alone', 'whsec_'],
    ['white space', ' '],
    ['a space before it', ` ${TEST_SECRET}`],
    ['a space after it', `${TEST_SECRET} `],
    ['a line break after it', `${TEST_SECRET}\n`],
    ['a line break in it', `${TEST_SECRET.slice(0, 20)}\n${TEST_SECRET.slice(20)}`],
    ['quotes around it', `"${TEST_SECRET}"`],
    ['base64url', `whsec_${Buffer.from([...long.subarray(0, 22), 0xff, 0xff]).toString('base64url')}`],
    ['unpadded', `whsec_${long.toString('base64').replaceAll('=', '')}`],
    ['a prefix in capitals', TEST_SECRET.replace('whsec_', 'WHSEC_')],
    ['the prefix twice', `whsec_${TEST_SECRET}`],
    ['a placeholder', 'whsec_...'],
    ['a number', 42],
    ['true', true],
    ['an object', {}],
    ['a Buffer', long],
    ['one bad of two', [TEST_SECRET, 'whsec_!!!!']],
    ['an empty one of two', [TEST_SECRET, '']],
    ['an undefined one of two', [TEST_SECRET, undefined]],
  ])('the secret is refused when it is %s', (_name, secret) => {
    expect(withSecret(secret)).toThrow(
      expect.objectContaining({ code: 'ERR_SCIM_SECRET_INVALID', option: 'secret' }),
    )
  })

  test.each([
    ['with whsec_', TEST_SECRET],
    ['without whsec_', TEST_SECRET.slice('whsec_'.length)],
    ['in a list', [TEST_SECRET]],
    ['by a resolver', () => TEST_SECRET],
    ['by a resolver, later', async () => [TEST_SECRET]],
  ])('the secret is accepted %s', async (_name, secret) => {
    expect(await accepts({ secret })).toBe(true)
  })

  test('a secret of under 24 bytes is logged as a warning, without its value', () => {
    const { logger, lines } = recordingLogger()
    const short = Buffer.from('twenty-three bytes long').toString('base64')
    make({ logger, secret: [TEST_SECRET, short] })
    expect(lines).toEqual([{ level: 'warn', fields: { keyBytes: 23 }, message: expect.any(String) }])
    expect(JSON.stringify(lines)).not.toContain(short)
  })

  test('a secret of 24 bytes logs no warning', () => {
    const { logger, lines } = recordingLogger()
    make({ logger, secret: Buffer.from('twenty-four bytes exact!').toString('base64') })
    expect(lines).toEqual([])
  })
})

test('a receiver without a handler logs a warning', () => {
  const { logger, lines } = recordingLogger()
  createReceiver({ secret: TEST_SECRET, logger })
  expect(lines).toEqual([{ level: 'warn', fields: {}, message: expect.stringContaining('`onUserUpserted`') }])
})

describe('memory as the store', () => {
  const warnings = (options: object) => {
    const { logger, lines } = recordingLogger()
    make({ logger, ...options })
    return lines.filter(({ message }) => message.includes('memory'))
  }

  test('memory as the store logs a warning in production by default', () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(warnings({})).toHaveLength(1)
  })
  test('memory as an explicit option logs no warning in production', () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(warnings({ store: 'memory' })).toEqual([])
  })
  test('memory as the store logs no warning outside production', () => {
    vi.stubEnv('NODE_ENV', 'test')
    expect(warnings({})).toEqual([])
  })
})

function refusedWith(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was refused')
}

describe('a shared store', () => {
  // The adapter does not connect before its first use.
  const shared = () => new Keyv(new KeyvRedis('redis://127.0.0.1:1'))
  const warnings = (options: object) => {
    const { logger, lines } = recordingLogger()
    make({ store: shared(), logger, ...options })
    return lines.filter(({ level, message }) => level === 'warn' && message.includes('`namespace`'))
  }

  test('without a namespace, a shared store causes one warning when the receiver is created', () => {
    expect(warnings({})).toHaveLength(1)
  })
  test('with a namespace of the receiver or of the Keyv, a shared store causes no warning', () => {
    expect(warnings({ namespace: 'billing' })).toEqual([])
    const store = shared()
    store.namespace = 'billing'
    expect(warnings({ store })).toEqual([])
  })
})
