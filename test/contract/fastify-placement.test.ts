import { AsyncLocalStorage } from 'node:async_hooks'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import fastifyCompress from '@fastify/compress'
import fastifyRateLimit from '@fastify/rate-limit'
import fastifySwagger from '@fastify/swagger'
import { createReceiver } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import defaultExport, { type ScalekitScimOptions, scalekitScim } from '@scalekit-scim/fastify'
import fastify, { type FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { expectReply } from '../support/replies.ts'
import { send } from '../support/wire.ts'

const hire = sampleEvent('organization.directory.user_created')
const otherSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const scim = (options: ScalekitScimOptions = {}): ScalekitScimOptions => ({
  secret: TEST_SECRET,
  logger: false,
  onUserUpserted: () => {},
  ...options,
})

async function listen(app: FastifyInstance): Promise<string> {
  onTestFinished(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

test('the plugin does not change the other JSON routes', async () => {
  const app = fastify()
  await app.register(scalekitScim, scim())
  app.post('/echo', async (request) => request.body)
  const origin = await listen(app)
  expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'processed')
  const json = { 'content-type': 'application/json' }
  expect((await send(`${origin}/echo`, { headers: json, body: '{"a":1}' })).body).toBe('{"a":1}')
  expect((await send(`${origin}/echo`, { headers: json, body: '{"a":' })).status).toBe(400)
  expect((await send(`${origin}/echo`, { headers: { 'content-type': 'image/png' }, body: 'x' })).status).toBe(
    415,
  )
})

test('a serializer that a hook of the host sets does not change the reply', async () => {
  const app = fastify()
  app.addHook('onRequest', async (_request, reply) => void reply.serializer((payload) => `<${payload}>`))
  await app.register(scalekitScim, scim())
  const origin = await listen(app)
  expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'processed')
})

test('the plugin answers under a prefix with and without a final slash', async () => {
  const app = fastify()
  await app.register(scalekitScim, { ...scim({ path: '/hooks/scim' }), prefix: '/api' })
  const origin = await listen(app)
  expectReply(await send(`${origin}/api/hooks/scim`, signDelivery(hire)), 'processed')
  expectReply(await send(`${origin}/api/hooks/scim/?x=1`, signDelivery(hire)), 'processed')
  expect((await send(`${origin}/hooks/scim`, signDelivery(hire))).status).toBe(404)
})

test('the plugin answers inside a prefixed scope of the host', async () => {
  const app = fastify()
  await app.register(async (scope) => void (await scope.register(scalekitScim, scim())), { prefix: '/v1' })
  expectReply(await send(`${await listen(app)}/v1/webhooks/scalekit`, signDelivery(hire)), 'processed')
})

test('two registrations can have two secrets, and only the first registration decorates', async () => {
  const app = fastify()
  await app.register(scalekitScim, scim({ path: '/live' }))
  const first = app.scalekitScim
  await app.register(defaultExport, scim({ path: '/staging', secret: otherSecret }))
  expect(app.scalekitScim).toBe(first)
  const origin = await listen(app)
  expectReply(await send(`${origin}/live`, signDelivery(hire)), 'processed')
  expectReply(await send(`${origin}/staging`, signDelivery(hire, { secret: otherSecret })), 'processed')
  expectReply(await send(`${origin}/staging`, signDelivery(hire)), 'invalid-signature')
})

test('decorate: false does not decorate', async () => {
  const app = fastify()
  await app.register(scalekitScim, scim({ decorate: false }))
  expect(app.hasDecorator('scalekitScim')).toBe(false)
  await app.close()
})

test.each(['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const)(
  "the reply of a host's %s hook is sent",
  async (hook) => {
    const app = fastify()
    app.addHook(hook as 'onRequest', async (request, reply) => {
      if (request.headers.authorization !== 'let me in') return reply.code(401).send({ mine: true })
    })
    await app.register(scalekitScim, scim())
    const url = `${await listen(app)}/webhooks/scalekit`
    const refused = await send(url, signDelivery(hire))
    expect([refused.status, refused.body]).toEqual([401, '{"mine":true}'])
    const { headers, body } = signDelivery(hire)
    expectReply(await send(url, { headers: { ...headers, authorization: 'let me in' }, body }), 'processed')
  },
)

test("a host's error handler answers the errors of the host's hooks", async () => {
  const app = fastify()
  app.setErrorHandler((_error, _request, reply) => reply.code(418).send('mine'))
  app.addHook('preHandler', async () => {
    throw new Error('no')
  })
  await app.register(scalekitScim, scim())
  expect((await send(`${await listen(app)}/webhooks/scalekit`, signDelivery(hire))).status).toBe(418)
})

test('the plugin ignores a lower body limit and the compression of the host', async () => {
  const app = fastify({ bodyLimit: 10 })
  await app.register(fastifyCompress, { threshold: 0 })
  await app.register(scalekitScim, scim())
  const { headers, body } = signDelivery(hire)
  const answer = await send(`${await listen(app)}/webhooks/scalekit`, {
    headers: { ...headers, 'accept-encoding': 'identity' },
    body,
  })
  expectReply(answer, 'processed')
})

test('`route` opts out of rate-limit and swagger', async () => {
  const app = fastify()
  await app.register(fastifyRateLimit, { max: 1, timeWindow: '1 minute' })
  await app.register(fastifySwagger)
  await app.register(scalekitScim, scim({ route: { config: { rateLimit: false }, schema: { hide: true } } }))
  app.get('/limited', async () => 'ok')
  const origin = await listen(app)
  for (let attempt = 0; attempt < 3; attempt++) {
    expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'processed')
    expect((await send(`${origin}/limited`, { method: 'GET', headers: {} })).status).toBe(
      attempt === 0 ? 200 : 429,
    )
  }
  expect(Object.keys(app.swagger().paths ?? {})).toEqual(['/limited'])
})

test('the plugin logs through request.log, with the id of the request', async () => {
  const lines: string[] = []
  const app = fastify({
    logger: { level: 'info', stream: { write: (line: string) => void lines.push(line) } },
  })
  let ctxLogged = false
  await app.register(scalekitScim, {
    secret: TEST_SECRET,
    onUserUpserted: (_event, ctx) => {
      ctx.log.info({ mine: true }, 'from the handler')
      ctxLogged = true
    },
  })
  const { headers, body } = signDelivery(hire, { messageId: 'msg_logged' })
  expectReply(await send(`${await listen(app)}/webhooks/scalekit`, { headers, body }), 'processed')
  expect(ctxLogged).toBe(true)
  const own = lines
    .map((line) => JSON.parse(line))
    .filter((line) => line.messageId === 'msg_logged' || line.mine)
  expect(own).toHaveLength(2)
  expect(own.every((line) => typeof line.reqId === 'string')).toBe(true)
})

test('closing waits for a running handler', async () => {
  const app = fastify()
  const begun = Promise.withResolvers<void>()
  let finished = false
  await app.register(
    scalekitScim,
    scim({
      onUserUpserted: async () => {
        begun.resolve()
        await sleep(300)
        finished = true
      },
    }),
  )
  const answer = send(`${await listen(app)}/webhooks/scalekit`, signDelivery(hire))
  await begun.promise
  await app.close()
  expect(finished).toBe(true)
  expectReply(await answer, 'processed')
})

test('closing leaves a shared receiver open', async () => {
  const receiver = createReceiver({ secret: TEST_SECRET, logger: false, onUserUpserted: () => {} })
  const app = fastify()
  await app.register(scalekitScim, { receiver })
  await app.close()
  const reply = await receiver.receive({ ...signDelivery(hire), url: '/' })
  expect(reply.outcome).toBe('processed')
})

test('the plugin refuses a schema for the body at registration, with the fix', async () => {
  const app = fastify()
  const route = { schema: { body: { type: 'object' } } }
  await expect(app.register(scalekitScim, scim({ route }))).rejects.toMatchObject({
    name: 'ConfigurationError',
    code: 'ERR_SCIM_INVALID_OPTION',
    option: 'route',
    message: expect.stringContaining('`route.schema`'),
  })
})

test('a handler has the AsyncLocalStorage of its request while others wait for the same user', async () => {
  const storage = new AsyncLocalStorage<string>()
  const seen: [string, string | undefined][] = []
  const app = fastify()
  app.addHook('onRequest', (request, _reply, done) =>
    storage.run(String(request.headers['webhook-id']), done),
  )
  await app.register(
    scalekitScim,
    scim({
      onUserUpserted: async (_event, ctx) => {
        await sleep(20)
        seen.push([ctx.idempotencyKey, storage.getStore()])
      },
    }),
  )
  const url = `${await listen(app)}/webhooks/scalekit`
  await Promise.all([1, 2, 3, 4].map((n) => send(url, signDelivery(hire, { messageId: `msg_${n}` }))))
  expect(seen).toHaveLength(4)
  for (const [own, stored] of seen) expect(stored).toBe(own)
})

test.each([
  ['ignoreTrailingSlash', { ignoreTrailingSlash: true }],
  ['its new place among the router’s options', { routerOptions: { ignoreTrailingSlash: true } }],
])('the plugin registers one route in a host with %s', async (_name, options) => {
  const app = fastify(options)
  await app.register(scalekitScim, scim())
  const origin = await listen(app)
  expectReply(await send(`${origin}/webhooks/scalekit`, signDelivery(hire)), 'processed')
  expectReply(await send(`${origin}/webhooks/scalekit/`, signDelivery(hire)), 'processed')
})

test('the plugin refuses a body that a hook of the host cannot decompress', async () => {
  const app = fastify()
  app.addHook('preParsing', async (request, _reply, payload) =>
    request.headers['content-encoding'] === 'gzip' ? payload.pipe(createGunzip()) : payload,
  )
  await app.register(scalekitScim, scim())
  const origin = await listen(app)
  const delivery = signDelivery(hire)
  const packed = { ...delivery.headers, 'content-encoding': 'gzip' }
  expectReply(
    await send(`${origin}/webhooks/scalekit`, { headers: packed, body: 'garbage' }),
    'content-encoding',
  )
  expectReply(await send(`${origin}/webhooks/scalekit`, delivery), 'processed')
})
