// The servers that the middleware is compared with. Later changes of the middleware leave this file alone.
//
//   json        parses JSON and answers 201, without any verification
//   floor       the least that a correct endpoint does: HMAC, JSON.parse, one look-up in a Map
//   quickstart  Scalekit's quickstart, done right by hand: raw body, the SDK's verification, parse, switch
//   set-nx      the same, with one `SET key NX PX` on Redis to ignore duplicates
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createClient } from '@keyv/redis'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { ScalekitClient } from '@scalekit-sdk/node'
import express from 'express'
import fastify, { type FastifyInstance } from 'fastify'

export const path = '/webhooks/scalekit'
const limitBytes = 1_048_576
const retentionMs = 345_600_000

type Headers = IncomingMessage['headers']

const key = createSecretKey(TEST_SECRET.slice('whsec_'.length), 'base64')
const seen = new Map<string, true>()

/** Verifies, parses, and looks the message up. Returns whether the signature is valid. */
function floorAccepts(headers: Headers, body: Buffer): boolean {
  const id = String(headers['webhook-id'])
  const timestamp = String(headers['webhook-timestamp'])
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false
  const expected = Buffer.from(
    `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`,
  )
  const given = Buffer.from(String(headers['webhook-signature']))
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false
  const event = JSON.parse(body.toString())
  if (!seen.has(id)) seen.set(id, true)
  return typeof event.type === 'string'
}

const sdk = new ScalekitClient('http://127.0.0.1:1', 'client', 'secret')

function signatureIsValid(headers: Headers, body: Buffer): boolean {
  try {
    return sdk.verifyWebhookPayload(TEST_SECRET, headers as Record<string, string>, body.toString())
  } catch {
    return false
  }
}

/** The work of the handlers, so that the engine does not remove it. */
export let handled = 0

async function handle(body: Buffer): Promise<void> {
  const event = JSON.parse(body.toString())
  switch (event.type) {
    case 'organization.directory.user_created':
    case 'organization.directory.user_updated':
      handled += event.data.id.length
      break
    case 'organization.directory.user_deleted':
      handled -= event.data.id.length
      break
  }
}

let redis: ReturnType<typeof createClient> | undefined

async function isFirst(id: string): Promise<boolean> {
  if (!redis) {
    redis = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
    await redis.connect()
  }
  const expiration = { type: 'PX', value: retentionMs } as const
  return (await redis.set(`bench-set-nx:${id}`, 'done', { condition: 'NX', expiration })) !== null
}

const done = { message: 'Webhook processed successfully' }
const refused = { error: 'Invalid signature' }

const onNode: RequestListener = (request, response) => {
  const pieces: Buffer[] = []
  request.on('data', (piece) => pieces.push(piece))
  request.on('end', () => {
    JSON.parse(Buffer.concat(pieces).toString())
    const body = JSON.stringify(done)
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  })
}

function onExpress(mount: (app: express.Express) => void): RequestListener {
  const app = express()
  mount(app)
  return app as unknown as RequestListener
}

const raw = express.raw({ type: () => true, limit: limitBytes })

function byHandOnExpress(deduplicates: boolean): RequestListener {
  return onExpress((app) =>
    app.post(path, raw, async (req, res) => {
      if (!signatureIsValid(req.headers, req.body)) return void res.status(400).json(refused)
      if (deduplicates && !(await isFirst(String(req.headers['webhook-id']))))
        return void res.status(200).json(done)
      await handle(req.body)
      res.status(201).json(done)
    }),
  )
}

async function onFastify(mount: (app: FastifyInstance) => void): Promise<RequestListener> {
  const app = fastify({ bodyLimit: limitBytes })
  mount(app)
  await app.ready()
  return app.routing as RequestListener
}

function keepRaw(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}

function byHandOnFastify(deduplicates: boolean): Promise<RequestListener> {
  return onFastify((app) => {
    keepRaw(app)
    app.post<{ Body: Buffer }>(path, async (request, reply) => {
      if (!signatureIsValid(request.headers, request.body)) return reply.code(400).send(refused)
      if (deduplicates && !(await isFirst(String(request.headers['webhook-id']))))
        return reply.code(200).send(done)
      await handle(request.body)
      return reply.code(201).send(done)
    })
  })
}

export const baselines: Readonly<Record<string, () => RequestListener | Promise<RequestListener>>> = {
  'node:http': () => onNode,
  'express json': () =>
    onExpress((app) =>
      app.post(path, express.json({ limit: limitBytes }), (_req, res) => void res.status(201).json(done)),
    ),
  'express floor': () =>
    onExpress((app) =>
      app.post(path, raw, (req, res) => {
        if (floorAccepts(req.headers, req.body)) res.status(201).json(done)
        else res.status(400).json(refused)
      }),
    ),
  'express quickstart': () => byHandOnExpress(false),
  'express set-nx': () => byHandOnExpress(true),
  'fastify json': () =>
    onFastify((app) => app.post(path, async (_request, reply) => reply.code(201).send(done))),
  'fastify floor': () =>
    onFastify((app) => {
      keepRaw(app)
      app.post<{ Body: Buffer }>(path, async (request, reply) =>
        floorAccepts(request.headers, request.body)
          ? reply.code(201).send(done)
          : reply.code(400).send(refused),
      )
    }),
  'fastify quickstart': () => byHandOnFastify(false),
  'fastify set-nx': () => byHandOnFastify(true),
}

/** Starts a server on a free port of this machine. */
export async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return address.port
}
