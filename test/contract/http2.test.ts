import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { createReceiver, type ReceiverOptions } from '@scalekit-scim/core'
import { nodeBody } from '@scalekit-scim/core/adapter'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim } from '@scalekit-scim/fastify'
import fastify from 'fastify'
import fastifyRawBody from 'fastify-raw-body'
import { describe, expect, onTestFinished, test } from 'vitest'
import { portOf } from '../support/subjects.ts'

// Express does not support HTTP/2. It sets methods of HTTP/1 on Node's request, which ends the process.

const hire = sampleEvent('organization.directory.user_created')
const options: ReceiverOptions = {
  secret: TEST_SECRET,
  logger: false,
  bodyLimitBytes: 1000,
  deadlineSeconds: 0.3,
  onUserUpserted: () => {},
}

async function startFastify(prepare?: 'raw-body' | 'gunzip'): Promise<number> {
  const app = fastify({ http2: true })
  onTestFinished(() => app.close())
  if (prepare === 'raw-body') {
    // Hono's types are those of an HTTP/1 server.
    await app.register(fastifyRawBody as never)
    app.addHook('preHandler', async () => void (await sleep(5)))
  }
  if (prepare === 'gunzip')
    app.addHook('preParsing', async (_request, _reply, body) => body.pipe(createGunzip()))
  await app.register(scalekitScim as never, options as never)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return portOf(app.server)
}

async function startCore(): Promise<number> {
  const receiver = createReceiver(options)
  const server = createServer(async (req, res) => {
    const reply = await receiver.receive({
      method: req.method,
      url: req.url,
      headers: req.headers,
      body: nodeBody(req),
    })
    const { connection: _, ...headers } = reply.headers
    res.writeHead(reply.status, headers).end(reply.body)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return portOf(server)
}

function sessionAt(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`)
  onTestFinished(() => session.destroy())
  return session
}

/** Opens a request and sends only a part of its body. */
function open(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const post = { ':method': 'POST', ':path': '/webhooks/scalekit' }
  return session.request({ ...post, ...signDelivery(hire).headers, ...headers })
}

/** The reply, and the code with which the server resets the stream. */
async function answerTo(stream: ClientHttp2Stream) {
  let status: unknown
  let body = ''
  stream.on('response', (headers) => {
    status = headers[':status']
  })
  stream.on('data', (piece) => {
    body += piece
  })
  await once(stream, 'close')
  return { status, body, resetCode: stream.rstCode }
}

const tooLarge = { status: 413, body: '{"error":"Payload Too Large"}', resetCode: 0 }

describe.each([
  ['Fastify', () => startFastify()],
  ['createReceiver behind node:http2', startCore],
])('%s', (_name, start) => {
  test('the server processes an event', async () => {
    const delivery = signDelivery(hire)
    const stream = open(sessionAt(await start()), delivery.headers)
    stream.end(delivery.body)
    expect(await answerTo(stream)).toMatchObject({ status: 201 })
  })

  test('the server resets the stream after a 413, so that the sender stops', async () => {
    const stream = open(sessionAt(await start()))
    stream.write(Buffer.alloc(2000))
    expect(await answerTo(stream)).toEqual(tooLarge)
  })

  test('the server resets the stream after a 413 for an announced length', async () => {
    const stream = open(sessionAt(await start()), { 'content-length': '2000' })
    expect(await answerTo(stream)).toEqual(tooLarge)
  })

  test('the server resets the stream after a 408', async () => {
    const stream = open(sessionAt(await start()))
    stream.write(Buffer.alloc(10))
    expect(await answerTo(stream)).toEqual({ status: 408, body: '{"error":"Request Timeout"}', resetCode: 0 })
  })

  test('the server resets the stream after it refuses a request without a signature', async () => {
    const stream = open(sessionAt(await start()), { 'webhook-signature': '' })
    stream.write(Buffer.alloc(10))
    expect(await answerTo(stream)).toMatchObject({ status: 400, resetCode: 0 })
  })

  test('the server still answers other requests of the connection', async () => {
    const session = sessionAt(await start())
    const refused = open(session)
    refused.write(Buffer.alloc(2000))
    await answerTo(refused)
    const delivery = signDelivery(hire)
    const next = open(session, delivery.headers)
    next.end(delivery.body)
    expect(await answerTo(next)).toMatchObject({ status: 201 })
  })
})

test.each(['raw-body', 'gunzip'] as const)(
  'Fastify also resets the stream if a hook (%s) reads the body',
  async (hook) => {
    const stream = open(sessionAt(await startFastify(hook)), { 'webhook-signature': '' })
    stream.write(Buffer.alloc(10))
    expect(await answerTo(stream)).toMatchObject({ status: 400, resetCode: 0 })
  },
)

test('Fastify keeps nothing of bodies over the limit, and can close', async () => {
  const app = fastify({ http2: true })
  let streams = 0
  app.server.on('session', (session) => {
    session.on('stream', (stream) => {
      streams++
      stream.on('close', () => streams--)
    })
  })
  await app.register(scalekitScim as never, options as never)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const session = sessionAt(portOf(app.server))
  for (let request = 0; request < 20; request++) {
    // Most of the body is already in buffers when the body exceeds the limit.
    const stream = open(session).resume()
    stream.write(Buffer.alloc(50_000))
    await once(stream, 'end')
  }
  await expect.poll(() => streams).toBe(0)
  session.destroy()
  await app.close()
})
