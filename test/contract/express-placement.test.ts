import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createReceiver } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { type ScalekitScimOptions, scalekitScim } from '@scalekit-scim/express'
import compression from 'compression'
import express5, { type Express } from 'express'
import express4 from 'express4'
import helmet from 'helmet'
import { describe, expect, onTestFinished, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { expectReply } from '../support/replies.ts'
import { send } from '../support/wire.ts'

const hire = sampleEvent('organization.directory.user_created')
const otherSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

async function listen(app: Express): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const versions = [
  { name: 'Express 4', express: express4, wildcard: '*' },
  { name: 'Express 5', express: express5, wildcard: '/{*any}' },
]

describe.each(versions)('in an application, $name', ({ express, wildcard }) => {
  const scim = (options: ScalekitScimOptions = {}) =>
    scalekitScim({ secret: TEST_SECRET, logger: false, onUserUpserted: () => {}, ...options })

  test('the middleware works before express.json(), which still parses the bodies of other routes', async () => {
    const app = express().use(scim(), express.json())
    app.post('/echo', (req, res) => void res.json(req.body))
    const origin = await listen(app)
    expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'processed')
    const echo = await send(`${origin}/echo`, {
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    })
    expect(echo.body).toBe('{"a":1}')
  })

  test('the middleware answers 500 after express.json(), and the log explains it', async () => {
    const log = recordingLogger()
    const origin = await listen(express().use(express.json(), scim({ logger: log })))
    expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'body-consumed')
    expect(log.lines[0]?.message).toContain('Mount scalekitScim before express.json()')
  })

  test('the middleware works after express.json() that keeps the bytes as req.rawBody', async () => {
    const keep = express.json({ verify: (req, _res, bytes) => Object.assign(req, { rawBody: bytes }) })
    const origin = await listen(express().use(keep, scim()))
    expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'processed')
  })

  test.each([
    ['express.raw()', (e: typeof express5) => e.raw({ type: '*/*' })],
    ['express.text()', (e: typeof express5) => e.text({ type: '*/*' })],
  ])('the middleware works after %s', async (_name, parser) => {
    const origin = await listen(express().use(parser(express), scim()))
    expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'processed')
  })

  test('the middleware refuses a body over our limit that a parser has read', async () => {
    const origin = await listen(express().use(express.raw({ type: '*/*' }), scim({ bodyLimitBytes: 10 })))
    expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'too-large')
  })

  test('the middleware matches the full path in a sub-router', async () => {
    const router = express.Router().use(scim({ path: '/api/hooks/scim' }))
    const origin = await listen(express().use('/api', router))
    expectReply(await send(`${origin}/api/hooks/scim`, signDelivery(hire)), 'processed')
    expect((await send(`${origin}/hooks/scim`, signDelivery(hire))).status).toBe(404)
  })

  test('the middleware matches a trailing slash and a query, but not another letter case', async () => {
    const origin = await listen(express().use('/webhooks/scalekit', scim()))
    for (const path of ['/webhooks/scalekit', '/webhooks/scalekit/', '/webhooks/scalekit?x=/y']) {
      expectReply(await send(origin + path, signDelivery(hire)), 'processed')
    }
    expect((await send(`${origin}/Webhooks/scalekit`, signDelivery(hire))).status).toBe(404)
  })

  test('the middleware works as app.post(/hooks/:env) with path: false and a secret for each parameter', async () => {
    const secrets: Record<string, string> = { live: TEST_SECRET, staging: otherSecret }
    const app = express()
    app.post('/hooks/:env', scim({ path: false, secret: ({ params }) => secrets[params.env ?? ''] }))
    const origin = await listen(app)
    expectReply(await send(`${origin}/hooks/live`, signDelivery(hire)), 'processed')
    expectReply(
      await send(`${origin}/hooks/staging`, signDelivery(hire, { secret: otherSecret })),
      'processed',
    )
    expectReply(await send(`${origin}/hooks/staging`, signDelivery(hire)), 'invalid-signature')
    expectReply(await send(`${origin}/hooks/nowhere`, signDelivery(hire)), 'invalid-signature')
  })

  test('the middleware works after app.all(*, auth), which still guards the other paths', async () => {
    const app = express()
    app.all(wildcard, (req, res, next) => {
      if (req.path.startsWith('/webhooks/')) next()
      else res.status(401).end()
    })
    app.use(scim())
    const origin = await listen(app)
    expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'processed')
    expect((await send(`${origin}/accounts`, { method: 'GET', headers: {} })).status).toBe(401)
  })

  test('the middleware works with helmet and compression', async () => {
    const app = express().use(helmet(), compression({ threshold: 0 }), scim())
    const answer = await send(`${await listen(app)}/webhooks/scalekit`, signDelivery(hire))
    expectReply(answer, 'processed')
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
  })

  test('a shared receiver on two paths processes a message once', async () => {
    let runs = 0
    const receiver = createReceiver({ secret: TEST_SECRET, logger: false, onUserUpserted: () => void runs++ })
    const app = express().use(scalekitScim({ receiver, path: '/a' }), scalekitScim({ receiver, path: '/b' }))
    const origin = await listen(app)
    const delivery = () => signDelivery(hire, { messageId: 'msg_twice' })
    expectReply(await send(`${origin}/a`, delivery()), 'processed')
    expectReply(await send(`${origin}/b`, delivery()), 'duplicate')
    expect(runs).toBe(1)
  })

  test('the middleware passes other paths to next(), and logs one signed request with its path', async () => {
    const log = recordingLogger()
    const app = express().use(scim({ logger: log }), express.json())
    app.post('/webhooks/scim', (req, res) => void res.status(204).end(String(req.body.id)))
    const origin = await listen(app)
    for (let attempt = 0; attempt < 2; attempt++) {
      expect((await send(`${origin}/webhooks/scim?token=secret`, signDelivery(hire))).status).toBe(204)
    }
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: expect.stringContaining('set `path` to the path in `arrived`'),
        fields: { path: '/webhooks/scalekit', arrived: '/webhooks/scim' },
      },
    ])
  })

  test('the log has the full path of a passed request, cut at 200 characters', async () => {
    const log = recordingLogger()
    const router = express.Router().use(scim({ logger: log }))
    const origin = await listen(express().use('/api', router))
    await send(`${origin}/api/${'x'.repeat(1000)}`, signDelivery(hire))
    expect(log.lines[0]?.fields.arrived).toBe(`/api/${'x'.repeat(195)}`)
  })

  test('the middleware does not warn of a request that the next mount answers', async () => {
    const log = recordingLogger()
    const mount = (path: string) => scim({ path, logger: log, namespace: path })
    const origin = await listen(express().use(mount('/hooks/live'), mount('/hooks/staging')))
    expectReply(await send(`${origin}/hooks/staging`, signDelivery(hire)), 'processed')
    expect(log.lines.map((line) => line.message)).toEqual(['processed'])
  })

  test('the middleware never calls an error handler', async () => {
    const errors: unknown[] = []
    const app = express().use(
      scim({
        onUserUpserted: () => {
          throw new Error('database away')
        },
      }),
    )
    app.use((error: unknown, _req: unknown, res: express5.Response, _next: unknown) => {
      errors.push(error)
      res.status(418).end()
    })
    expectReply(await send(`${await listen(app)}/webhooks/scalekit`, signDelivery(hire)), 'handler-failed')
    expect(errors).toEqual([])
  })

  test('the middleware does not write a second reply if the host has answered', async () => {
    const app = express().use((_req, res, next) => {
      res.status(202).end('mine')
      next()
    }, scim())
    const answer = await send(`${await listen(app)}/webhooks/scalekit`, signDelivery(hire))
    expect([answer.status, answer.body]).toEqual([202, 'mine'])
  })
})

describe('an application without Express', () => {
  test.each([
    ['a webhook', '/webhooks/scalekit', 201],
    ['a webhook with a query', '/webhooks/scalekit?a=b', 201],
    ['another path', '/', 404],
  ])('node:http: the reply to %s', async (_name, url, status) => {
    const middleware = scalekitScim({ secret: TEST_SECRET, logger: false, onUserUpserted: () => {} })
    const server = createServer((req, res) => {
      middleware(req as never, res as never, () => res.writeHead(404).end())
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const answer = await send(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}${url}`,
      signDelivery(hire),
    )
    expect(answer.status).toBe(status)
  })
})
