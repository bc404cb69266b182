import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fastifyExpress from '@fastify/express'
import type { ReceiverOptions } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim as expressMiddleware } from '@scalekit-scim/express'
import { scalekitScim as fastifyPlugin } from '@scalekit-scim/fastify'
import express5, { type Express } from 'express'
import express4 from 'express4'
import fastify, { type FastifyInstance } from 'fastify'
import fastifyRawBody from 'fastify-raw-body'
import { describe, expect, onTestFinished, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { expectReply } from '../support/replies.ts'
import { portOf } from '../support/subjects.ts'
import { head, send, sendRaw } from '../support/wire.ts'

const hire = sampleEvent('organization.directory.user_created')
const path = '/webhooks/scalekit'

async function startFastify(
  prepare: (app: FastifyInstance) => unknown,
  { bodyLimit, ...options }: ReceiverOptions & { bodyLimit?: number } = {},
): Promise<number> {
  const app = fastify({ forceCloseConnections: true, ...(bodyLimit === undefined ? {} : { bodyLimit }) })
  onTestFinished(() => app.close())
  await prepare(app)
  await app.register(fastifyPlugin, {
    secret: TEST_SECRET,
    logger: false,
    onUserUpserted: () => {},
    ...options,
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return portOf(app.server)
}

const urlAt = (port: number) => `http://127.0.0.1:${port}${path}`
const pauseBefore = (app: FastifyInstance) => app.addHook('preHandler', async () => void (await sleep(5)))
const keepRawBody: Parameters<typeof express5.json>[0] = {
  verify: (req, _res, bytes) => Object.assign(req, { rawBody: bytes }),
}

test.each(['base64', 'hex', 'utf16le'] as const)(
  'text that fastify-raw-body keeps as %s does not count as the bytes, and the log names the fix',
  async (encoding) => {
    const log = recordingLogger()
    const port = await startFastify(
      async (app) => {
        await app.register(fastifyRawBody, { encoding })
        app.addHook('preValidation', async () => void (await sleep(30)))
      },
      { logger: log },
    )
    expectReply(await send(urlAt(port), signDelivery(hire)), 'body-consumed')
    expect(log.lines.at(-1)?.message).toContain('`encoding: false`')
  },
)

describe('in Fastify', () => {
  const hosts: [string, (app: FastifyInstance) => unknown][] = [
    ['fastify-raw-body, which keeps text', (app) => app.register(fastifyRawBody)],
    ['fastify-raw-body, which keeps bytes', (app) => app.register(fastifyRawBody, { encoding: false })],
    ['fastify-raw-body that runs first', (app) => app.register(fastifyRawBody, { runFirst: true })],
    [
      'fastify-raw-body and a hook that takes 5 ms',
      async (app) => {
        await app.register(fastifyRawBody)
        pauseBefore(app)
      },
    ],
    ['express.json() that keeps the bytes', (app) => within(app, express5.json(keepRawBody))],
    ['express.raw()', (app) => within(app, express5.raw({ type: '*/*' }))],
    ['express.text()', (app) => within(app, express5.text({ type: '*/*' }))],
    [
      'a hook that keeps the bytes as request.body',
      (app) =>
        app.addHook('preHandler', async (request) => {
          const pieces: Buffer[] = []
          for await (const piece of request.raw) pieces.push(piece)
          request.body = Buffer.concat(pieces)
        }),
    ],
    ['a request that is decorated with an empty rawBody', (app) => app.decorateRequest('rawBody', '')],
  ]
  test.each(hosts)('the endpoint processes an event behind %s', async (_name, prepare) => {
    const port = await startFastify(prepare)
    expectReply(await send(urlAt(port), signDelivery(hire)), 'processed')
    expectReply(await send(urlAt(port), { ...signDelivery(hire), body: '{}' }), 'invalid-signature')
  })

  async function within(app: FastifyInstance, parser: ReturnType<typeof express5.json>) {
    await app.register(fastifyExpress)
    app.use(parser)
  }

  test('the endpoint processes an event on Cloud Functions, which set rawBody on Node’s request', async () => {
    const app = fastify()
    await app.register(fastifyPlugin, { secret: TEST_SECRET, logger: false, onUserUpserted: () => {} })
    await app.ready()
    const server = createServer(async (req: IncomingMessage & { rawBody?: Buffer; body?: unknown }, res) => {
      const pieces: Buffer[] = []
      for await (const piece of req) pieces.push(piece)
      req.rawBody = Buffer.concat(pieces)
      req.body = JSON.parse(req.rawBody.toString())
      app.routing(req, res)
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    expectReply(await send(urlAt(portOf(server)), signDelivery(hire)), 'processed')
  })

  const rawBodyWithPause = async (app: FastifyInstance) => {
    await app.register(fastifyRawBody)
    pauseBefore(app)
  }

  test('the endpoint processes an event whose last bytes arrive after fastify-raw-body has read the first', async () => {
    const port = await startFastify(rawBodyWithPause)
    const { headers, body } = signDelivery(hire)
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write(head(path, { ...headers, 'content-length': String(body.length) }))
    socket.write(body.subarray(0, 100))
    await sleep(100)
    socket.write(body.subarray(100))
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 201 /)
  })

  test('the endpoint stops waiting for a body at the deadline, even if fastify-raw-body reads it', async () => {
    const port = await startFastify(rawBodyWithPause, { deadlineSeconds: 0.2 })
    const { headers, body } = signDelivery(hire)
    const length = { 'content-length': String(body.length) }
    const { text } = await sendRaw(port, head(path, { ...headers, ...length }), [body.subarray(0, 10)])
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('the endpoint reports a sender that disconnects while fastify-raw-body reads', async () => {
    const outcomes: string[] = []
    const port = await startFastify(rawBodyWithPause, { onOutcome: ({ outcome }) => outcomes.push(outcome) })
    const { headers, body } = signDelivery(hire)
    const socket = connect(port, '127.0.0.1')
    socket.write(head(path, { ...headers, 'content-length': String(body.length) }))
    socket.write(body.subarray(0, 20), () => setTimeout(() => socket.destroy(), 50))
    await expect.poll(() => outcomes).toEqual(['body-aborted'])
  })

  test('the endpoint refuses kept bytes over our limit', async () => {
    const port = await startFastify(rawBodyWithPause, { bodyLimitBytes: 100 })
    const { headers, body } = signDelivery(hire)
    const { text } = await sendRaw(port, head(path, { ...headers, 'transfer-encoding': 'chunked' }), [
      Buffer.from(`${body.length.toString(16)}\r\n`),
      body,
      Buffer.from('\r\n0\r\n\r\n'),
    ])
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
  })

  const keepers: [string, (app: FastifyInstance) => unknown, { bodyLimit?: number }][] = [
    ['an Express parser that keeps nothing', (app) => within(app, express5.json()), {}],
    ['fastify-raw-body with a limit below the body', rawBodyWithPause, { bodyLimit: 100 }],
  ]
  test.each(keepers)('the log names the fix for Fastify, behind %s', async (_name, prepare, limit) => {
    const log = recordingLogger()
    const port = await startFastify(prepare, { logger: log, ...limit })
    expectReply(await send(urlAt(port), signDelivery(hire)), 'body-consumed')
    const [line] = log.lines
    expect(line?.message).toContain('fastify-raw-body')
    expect(line?.message).not.toContain('express.json()')
  })
})

describe.each([
  ['Express 4', express4],
  ['Express 5', express5],
])('in %s', (_name, express) => {
  async function listen(prepare: (app: Express) => void): Promise<string> {
    const app = express()
    prepare(app)
    app.use(expressMiddleware({ secret: TEST_SECRET, logger: false, onUserUpserted: () => {} }))
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    return urlAt(portOf(server))
  }

  test('the endpoint processes an event behind a middleware that calls next() while it reads the body', async () => {
    const url = await listen((app) => {
      app.use((req, _res, next) => {
        let rawBody = ''
        req.setEncoding('utf8')
        req.on('data', (piece) => {
          rawBody += piece
        })
        req.on('end', () => Object.assign(req, { rawBody }))
        next()
      })
    })
    expectReply(await send(url, signDelivery(hire)), 'processed')
  })

  test('the endpoint answers at once if a body has an encoding and no reader', async () => {
    const url = await listen((app) => {
      app.use((req, _res, next) => {
        req.setEncoding('utf8')
        next()
      })
    })
    expectReply(await send(url, signDelivery(hire)), 'body-consumed')
  })
})
