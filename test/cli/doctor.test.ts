import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim } from '@scalekit-scim/express'
import express, { type RequestHandler } from 'express'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { certificate, privateKey } from '../support/certificate.ts'
import { runCommand, startCommand } from './command-line.ts'
import { ownEndpoint, serve, stopServing } from './own-endpoint.ts'

afterEach(stopServing)

const signed = ['--secret', TEST_SECRET]

test('the table lists each check and ends with the counts', async () => {
  const url = await serve(ownEndpoint({ status: 204 }))
  const { exitCode, stdout, stderr } = await runCommand(['doctor', url, ...signed])
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' })
  expect(stdout).toContain(`${url}\n`)
  expect(stdout).toMatch(/^ok {7}a valid delivery is accepted +204$/m)
  expect(stdout).toMatch(
    /^WRONG {4}the endpoint answers 200 or 201\n {11}The endpoint answers 204\. .+\n {11}Fix: After the work, answer 200 or 201:/m,
  )
  expect(stdout).toMatch(/\nSomething is wrong\. 19 ok, 1 WRONG, 0 to note\.\n$/)
  expect(stdout).not.toContain(TEST_SECRET)
})

test('colours follow FORCE_COLOR and NO_COLOR', async () => {
  const url = await serve(ownEndpoint())
  const coloured = await runCommand(['doctor', url, ...signed], { env: { FORCE_COLOR: '1' } })
  expect(coloured.stdout).toContain('\u001b[32mok')
  const plain = await runCommand(['doctor', url, ...signed], { env: { NO_COLOR: '1' } })
  expect(plain.stdout).not.toContain('\u001b')
})

const noAnswer: [name: string, handler: RequestHandler, detail: RegExp][] = [
  ['a redirect', (_req, res) => res.redirect(308, '/elsewhere'), /^The endpoint redirects \(308\)/],
  ['a login', (_req, res) => void res.status(401).end(), /^The endpoint requires credentials .* \(401\)/],
  ['another path', (_req, res) => void res.status(404).end(), /^No route answers POST .* \(404\)/],
  ['a failure', (_req, res) => void res.status(500).end(), /^The endpoint fails on a valid .* \(500\)/],
  ['a cut connection', (req) => void req.socket.destroy(), /^The connection ended without an answer/],
  ['no answer at all', () => {}, /^The endpoint has not answered within 10 s/],
]
test.each(noAnswer)('%s is reported as such', async (_name, handler, detail) => {
  const url = await serve(express().use(handler))
  const { exitCode, stdout } = await runCommand(['doctor', url, ...signed, '--json'])
  const { checks } = JSON.parse(stdout)
  expect(exitCode).toBe(1)
  expect(checks[0]).toMatchObject({ check: 'valid', state: 'wrong', detail: expect.stringMatching(detail) })
  expect(checks.filter(({ state }: { state: string }) => state === 'wrong')).toHaveLength(1)
})

const others: [what: string, server: () => Server, scheme: string, exitCode: number, detail: RegExp][] = [
  [
    'a self-signed certificate',
    () => createSecureServer({ cert: certificate, key: privateKey }),
    'https',
    3,
    /\(DEPTH_ZERO_SELF_SIGNED_CERT\)\. This machine does not trust the certificate of the server\. Set NODE_EXTRA_CA_CERTS to a PEM/,
  ],
  [
    'a server without TLS',
    () => createServer(),
    'https',
    3,
    /TLS failed\. If the server does not use TLS, give an http address\./,
  ],
  [
    'a server without HTTP',
    () => createTcpServer((socket) => socket.on('error', () => {}).write('220 mail\u0007 ready\r\n')),
    'http',
    1,
    /^( +The answer is|No answer:) not HTTP, but "220 mail\ufffd ready"/m,
  ],
  [
    'a switch of protocols',
    () =>
      createTcpServer((socket) => {
        socket
          .on('error', () => {})
          .write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
      }),
    'http',
    1,
    /(without an answer \(|No answer: )101 Switching Protocols/,
  ],
  [
    'broken HTTP',
    () => createTcpServer((socket) => socket.on('error', () => {}).write('HTTP/1.1 200 OK\r\nnonsense\r\n')),
    'http',
    1,
    /^( +The answer is|No answer:) broken HTTP \(Parse Error/m,
  ],
]
test.each(others)('doctor and send report %s', async (_what, open, scheme, exitCode, detail) => {
  const server = open().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`
  for (const command of [['doctor'], ['send', 'user_created', '--to']]) {
    const ran = await runCommand([...command, url, ...signed])
    expect(ran.exitCode).toBe(exitCode)
    expect(ran.stdout + ran.stderr).toMatch(detail)
  }
})

test('our middleware behind a body parser gets a specific hint', async () => {
  const app = express().use(
    express.json(),
    scalekitScim({ path: '/hooks', secret: TEST_SECRET, logger: false, onEvent: () => {} }),
  )
  const { stdout } = await runCommand(['doctor', await serve(app), ...signed, '--json'])
  expect(JSON.parse(stdout).checks[0].hint).toBe('Mount scalekitScim before express.json().')
})

test('after an interruption, it deletes its test users and reports that not all checks have run', async () => {
  const received: { type: string; data: { id: string } }[] = []
  let onUser = () => {}
  const created = new Promise<void>((resolve) => {
    onUser = resolve
  })
  const app = express().use(express.json({ type: () => true, limit: '3mb' }), async (req, res) => {
    received.push(req.body)
    if (req.body?.type?.endsWith('user_created')) {
      onUser()
      await sleep(300)
    }
    res.status(201).end()
  })
  app.use(((_error, _req, res, _next) => void res.status(400).end()) as express.ErrorRequestHandler)
  const child = startCommand(['doctor', await serve(app), ...signed, '--write', '--json'])
  const printed = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])

  await created
  child.kill('SIGINT')

  const [stdout, stderr] = await printed
  expect(child.exitCode).toBe(130)
  expect(stderr).toBe('scalekit-scim: Interrupted: not all checks have run.\n')
  expect(JSON.parse(stdout).checks.at(-2)).toMatchObject({ check: 'write-delete' })
  const idsOf = (change: string) =>
    new Set(received.filter((event) => event?.type?.endsWith(`user_${change}`)).map(({ data }) => data.id))
  expect(idsOf('created').size).toBe(1)
  expect(idsOf('deleted')).toEqual(idsOf('created'))
})
