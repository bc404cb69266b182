import { once } from 'node:events'
import { createReceiver } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim as expressMiddleware } from '@scalekit-scim/express'
import { scalekitScim as fastifyPlugin } from '@scalekit-scim/fastify'
import express5, { type ErrorRequestHandler, type Request as ExpressRequest } from 'express'
import express4 from 'express4'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { expectReply } from '../support/replies.ts'
import { portOf } from '../support/subjects.ts'
import { throwForUs } from '../support/throwing.ts'
import { send } from '../support/wire.ts'

const hire = sampleEvent('organization.directory.user_created')

describe.each([
  ['Express 4', express4],
  ['Express 5', express5],
])('a property of the request that throws, in %s', (_name, express) => {
  const errors: unknown[] = []
  const keepErrors: ErrorRequestHandler = (error, _req, res, _next) => {
    errors.push(error)
    res.status(418).end()
  }

  async function listen(prepare: (req: ExpressRequest) => void) {
    const log = recordingLogger()
    const app = express()
    app.use((req, _res, next) => {
      prepare(req)
      next()
    })
    app.use(expressMiddleware({ secret: TEST_SECRET, logger: log, onUserUpserted: () => {} }))
    app.post('/other', (_req, res) => void res.status(204).end())
    app.use(keepErrors)
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    return { origin: `http://127.0.0.1:${portOf(server)}`, log }
  }

  test.each(['body', 'rawBody'])('%s: the bytes come from the stream', async (name) => {
    const { origin } = await listen((req) =>
      Object.defineProperty(req, name, {
        get() {
          throw new SyntaxError('Invalid JSON')
        },
      }),
    )
    expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'processed')
    expectReply(
      await send(`${origin}/webhooks/scalekit`, { ...signDelivery(hire), body: '{"type":' }),
      'invalid-signature',
    )
    expect(errors).toEqual([])
  })

  test.each(['method', 'originalUrl', 'headers', 'params', 'baseUrl', 'path'])(
    '%s: our 500, and the log names the property',
    async (name) => {
      const { origin, log } = await listen((req) => throwForUs(req, name))
      expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'internal')
      const read = ['originalUrl', 'baseUrl', 'path'].includes(name) ? 'url' : name
      expect(log.lines).toMatchObject([
        { message: expect.stringContaining(`\`${read}\` cannot be read`), fields: { errorName: 'Error' } },
      ])
      expect(log.text()).not.toContain('please report it')
      expect(errors).toEqual([])
    },
  )

  test('headers: a request for another path still goes to next()', async () => {
    const { origin } = await listen((req) => throwForUs(req, 'headers'))
    expect((await send(`${origin}/other`, signDelivery(hire))).status).toBe(204)
  })
})

describe('a property of the request that throws, in Fastify', () => {
  async function listen(hook: 'onRequest' | 'preHandler', prepare: (request: FastifyRequest) => void) {
    const app: FastifyInstance = fastify()
    onTestFinished(() => app.close())
    app.addHook(hook === 'onRequest' ? 'onRequest' : 'preHandler', async (request: FastifyRequest) =>
      prepare(request),
    )
    await app.register(fastifyPlugin, { secret: TEST_SECRET, onUserUpserted: () => {} })
    return `${await app.listen({ port: 0, host: '127.0.0.1' })}/webhooks/scalekit`
  }

  test.each(['body', 'rawBody'])('%s: the bytes come from the stream', async (name) => {
    for (const of of [(request: FastifyRequest) => request, (request: FastifyRequest) => request.raw]) {
      const url = await listen('preHandler', (request) => throwForUs(of(request), name))
      expectReply(await send(url, signDelivery(hire)), 'processed')
    }
  })

  test.each(['method', 'originalUrl', 'headers', 'params', 'log'])('%s: a 500 of ours', async (name) => {
    const url = await listen('preHandler', (request) => throwForUs(request, name))
    expectReply(await send(url, signDelivery(hire)), 'internal')
  })

  test.each(['request', 'raw'] as const)(
    'headers of %s, before the route is reached: our 500',
    async (place) => {
      const url = await listen('onRequest', (request) =>
        throwForUs(place === 'raw' ? request.raw : request, 'headers'),
      )
      expectReply(await send(url, signDelivery(hire)), 'internal')
    },
  )
})

describe('receive and fetch never reject', () => {
  const log = recordingLogger()
  const receiver = createReceiver({ secret: TEST_SECRET, logger: log, onUserUpserted: () => {} })

  test.each(['method', 'url', 'headers', 'body', 'params', 'log'])(
    'receive, if reading %s throws',
    async (name) => {
      const attempt = { url: '/', ...signDelivery(hire) }
      throwForUs(attempt, name)
      expect((await receiver.receive(attempt)).outcome).toBe('internal')
      expect(log.lines.at(-1)?.message).toContain(`\`${name}\` cannot be read`)
    },
  )

  test('receive, if the body’s own reader throws', async () => {
    const body = () => Promise.reject(new Error('no bytes here'))
    expect((await receiver.receive({ url: '/', ...signDelivery(hire), body })).outcome).toBe('internal')
    expect(log.lines.at(-1)?.message).toContain('The reader that was passed as `body` threw')
  })

  test.each(['method', 'url', 'headers', 'body', 'bodyUsed'])('fetch, if reading %s throws', async (name) => {
    const request = new Request('http://localhost/', signDelivery(hire))
    throwForUs(request, name)
    const response = await receiver.fetch(request)
    expect(response.headers.get('scalekit-scim-outcome')).toBe('internal')
  })

  test('fetch, if its options are null or their params throw', async () => {
    const request = () => new Request('http://localhost/', signDelivery(hire))
    // @ts-expect-error -- untyped callers can pass null
    expect((await receiver.fetch(request(), null)).status).toBe(201)
    const options = { params: {} }
    throwForUs(options, 'params')
    expect((await receiver.fetch(request(), options)).status).toBe(500)
  })
})
