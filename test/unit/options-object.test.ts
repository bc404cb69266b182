import { createDispatcher, createReceiver } from '@scalekit-scim/core'
import { createDirectorySync } from '@scalekit-scim/core/sync'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim as expressMiddleware } from '@scalekit-scim/express'
import { scalekitScim as fastifyPlugin } from '@scalekit-scim/fastify'
import fastify from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'

const options = { secret: TEST_SECRET, logger: false as const, onUserUpserted: () => {} }

/** Calls a function without types, as JavaScript can. */
const untyped = (call: unknown) => call as (...given: unknown[]) => unknown

const refused = (fix: string) =>
  expect.objectContaining({
    name: 'ConfigurationError',
    code: 'ERR_SCIM_INVALID_OPTION',
    message: expect.stringContaining(fix),
  })

const others: [string, unknown, string][] = [
  ['null', null, 'null was given'],
  ['a function', () => options, 'a function was given. Call it first.'],
  ['a promise', Promise.resolve(options), 'a promise was given. Await it first.'],
  ['a list', [options], 'a list was given'],
  ['text', 'onUserUpserted', 'a string was given'],
]

describe.each([
  ['scalekitScim of Express', untyped(expressMiddleware)],
  ['createReceiver', untyped(createReceiver)],
  ['createDispatcher', untyped(createDispatcher)],
  ['createDirectorySync', untyped(createDirectorySync)],
])('%s', (_name, create) => {
  test.each(others)('options of %s are refused, with the fix', (_name, given, fix) => {
    expect(() => create(given)).toThrow(refused(fix))
  })
})

describe('scalekitScim of Fastify', () => {
  function register(...given: unknown[]): PromiseLike<unknown> {
    const app = fastify()
    onTestFinished(() => app.close())
    return Promise.resolve(untyped(app.register.bind(app))(...given))
  }

  test('the plugin is refused if it is called instead of registered, and the message shows how to register it', async () => {
    await expect(register(untyped(fastifyPlugin)(options))).rejects.toEqual(
      refused('Write `await fastify.register(scalekitScim, { onUserUpserted })`.'),
    )
  })

  test('the plugin refuses a promise instead of options, with the fix', async () => {
    await expect(register(fastifyPlugin, Promise.resolve(options))).rejects.toEqual(
      refused('Await it first.'),
    )
  })

  test('the plugin accepts a function that returns options, as each Fastify plugin does', async () => {
    await register(fastifyPlugin, () => options)
  })

  test.each(others.filter(([name]) => name !== 'a promise'))(
    'the plugin refuses %s instead of options if it is called directly',
    async (_name, given, fix) => {
      await expect(untyped(fastifyPlugin)(fastify(), given)).rejects.toEqual(refused(fix))
    },
  )
})
