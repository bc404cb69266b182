import { execFile } from 'node:child_process'
import { PassThrough, Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { nodeBody } from '@scalekit-scim/core/adapter'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim } from '@scalekit-scim/fastify'
import fastify from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { expectReply } from '../support/replies.ts'
import { send } from '../support/wire.ts'

const sources = fileURLToPath(new URL('../docs/source-imports.mjs', import.meta.url))

/** Runs a script in a process that runs out of memory if a body takes many times its size. */
function runInLittleMemory(script: string): Promise<{ code: unknown; printed: string }> {
  const flags = ['--max-old-space-size=64', '--disable-warning=ExperimentalWarning', '--import', sources]
  const args = [...flags, '--input-type=module', '--eval', script]
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? error?.signal ?? 0, printed: (stdout + stderr).trim().slice(0, 500) })
    })
  })
}

const claimsToBeSigned = `{
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
  'webhook-signature': 'v1,anybody',
}`

test('a body in pieces of one byte takes little more memory than its size', async () => {
  const ended = await runInLittleMemory(`
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { createReceiver } from '@scalekit-scim/core'
import { nodeBody } from '@scalekit-scim/core/adapter'
import { TEST_SECRET } from '@scalekit-scim/core/testing'

const receiver = createReceiver({ secret: TEST_SECRET, logger: false, deadlineSeconds: 60, onEvent: () => {} })
const server = createServer(async (req, res) => {
  const { outcome } = await receiver.receive({ ...req, method: 'POST', headers: req.headers, body: nodeBody(req) })
  console.log(outcome)
  res.end()
  process.exit()
})
server.listen(0, '127.0.0.1', async () => {
  const socket = connect(server.address().port, '127.0.0.1')
  const headers = Object.entries(${claimsToBeSigned}).map(([name, value]) => name + ': ' + value + '\\r\\n')
  socket.write('POST / HTTP/1.1\\r\\nhost: localhost\\r\\n' + headers.join('') + 'transfer-encoding: chunked\\r\\n\\r\\n')
  const pieces = '1\\r\\nx\\r\\n'.repeat(16_384)
  for (let written = 0; written < 64; written++) {
    if (!socket.write(pieces)) await new Promise((resolve) => socket.once('drain', resolve))
  }
  socket.write('0\\r\\n\\r\\n')
})
`)
  expect(ended).toEqual({ code: 0, printed: 'invalid-signature' })
})

test('a body in pieces of one byte for receiver.fetch takes little more memory than its size', async () => {
  const ended = await runInLittleMemory(`
import { createReceiver } from '@scalekit-scim/core'
import { TEST_SECRET } from '@scalekit-scim/core/testing'

const receiver = createReceiver({ secret: TEST_SECRET, logger: false, deadlineSeconds: 60, onEvent: () => {} })
let left = 1_048_576
const body = new ReadableStream({
  pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array(1)) : controller.close()),
})
const request = new Request('http://localhost', { method: 'POST', headers: ${claimsToBeSigned}, body, duplex: 'half' })
console.log((await receiver.fetch(request)).headers.get('scalekit-scim-outcome'))
`)
  expect(ended).toEqual({ code: 0, printed: 'invalid-signature' })
})

test('a sender that stops one byte over the limit gets a reply at once', async () => {
  const sent = new PassThrough()
  const reading = nodeBody(sent)({ limitBytes: 100, signal: new AbortController().signal })
  sent.write(Buffer.alloc(101))
  await expect(reading).rejects.toMatchObject({ reason: 'too-large' })
  expect(sent.destroyed, 'the answer goes over its connection').toBe(false)
})

test('a sender that exceeds the limit and disconnects does not end the process', async () => {
  for (const error of [undefined, new Error('reset')]) {
    const sent = new Readable({ read() {} })
    const reading = nodeBody(sent)({ limitBytes: 100, signal: new AbortController().signal })
    await setImmediate()
    sent.push(Buffer.alloc(101))
    sent.destroy(error)
    await expect(reading).rejects.toMatchObject({ reason: 'too-large' })
  }
})

test('a body that fails after its refusal does not end the process', async () => {
  const sent = new PassThrough()
  const reading = nodeBody(sent)({ limitBytes: 100, signal: new AbortController().signal })
  sent.write(Buffer.alloc(101))
  await expect(reading).rejects.toMatchObject({ reason: 'too-large' })
  sent.destroy(new Error('reset'))
  await setImmediate()
})

const limits = () => ({ limitBytes: 100, signal: new AbortController().signal })

describe('a request with a short declared length', () => {
  const request = (bytes: number, stream = new Readable({ read() {} })) =>
    Object.assign(stream, { headers: { 'content-length': String(bytes) } })

  test('its pieces are joined', async () => {
    const sent = request(4)
    const reading = nodeBody(sent)(limits())
    for (const piece of ['a', 'bc', 'd']) sent.push(piece)
    sent.push(null)
    expect(Buffer.from(await reading).toString()).toBe('abcd')
  })

  test.each([
    ['closes', undefined],
    ['fails', new Error('reset')],
  ])('a connection that %s before the end is an aborted body', async (_name, error) => {
    const sent = request(4)
    const reading = nodeBody(sent)(limits())
    sent.push('ab')
    await setImmediate()
    sent.destroy(error)
    await expect(reading).rejects.toMatchObject({ reason: 'aborted' })
  })

  test('a body of another length is an aborted body', async () => {
    const sent = request(4)
    const reading = nodeBody(sent)(limits())
    sent.push('abc')
    sent.push(null)
    await expect(reading).rejects.toMatchObject({ reason: 'aborted' })
  })

  test('a body that is longer than it declares is refused before its end', async () => {
    const sent = request(4)
    const reading = nodeBody(sent)(limits())
    sent.push('abcde')
    await expect(reading).rejects.toMatchObject({ reason: 'aborted' })
  })

  test('a stream of texts has the bytes of the texts, and one of objects is consumed', async () => {
    const text = await nodeBody(request(4, Readable.from(['ab', 'cd'])))(limits())
    expect(Buffer.from(text).toString()).toBe('abcd')
    const parsed = nodeBody(request(4, Readable.from([{ type: 'parsed' }])))(limits())
    await expect(parsed).rejects.toMatchObject({ reason: 'consumed' })
  })
})

async function behindHookThatGives(again: (bytes: Buffer) => Readable) {
  const log = recordingLogger()
  const app = fastify()
  onTestFinished(() => app.close())
  app.addHook('preParsing', async (_request, _reply, payload) => {
    const pieces: Buffer[] = []
    for await (const piece of payload) pieces.push(piece)
    return again(Buffer.concat(pieces))
  })
  await app.register(scalekitScim, { secret: TEST_SECRET, logger: log, onUserUpserted: () => {} })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const delivery = signDelivery(sampleEvent('organization.directory.user_created'))
  return { answer: await send(`${origin}/webhooks/scalekit`, delivery), log }
}

test("a body that a host's hook passes on as text has the bytes of that text", async () => {
  const { answer } = await behindHookThatGives((bytes) => Readable.from(bytes.toString()))
  expectReply(answer, 'processed')
})

test("a body that a host's hook has parsed is answered 500, and the log explains it", async () => {
  const { answer, log } = await behindHookThatGives((bytes) => Readable.from([JSON.parse(bytes.toString())]))
  expectReply(answer, 'body-consumed')
  expect(log.lines[0]?.message).toContain('other code has already read the body')
})
