import { createReceiver } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { Hono } from 'hono'
import type { NextRequest } from 'next/server.js'
import { expect, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { expectedReplies } from '../support/replies.ts'

const hire = sampleEvent('organization.directory.user_created')
const url = 'http://localhost/webhooks/scalekit'

async function expectResponse(response: Response, outcome: keyof typeof expectedReplies): Promise<void> {
  expect(response.headers.get('scalekit-scim-outcome')).toBe(outcome)
  expect(response.status).toBe(expectedReplies[outcome].status)
  expect(await response.text()).toBe(expectedReplies[outcome].body)
  expect(response.headers.get('connection')).toBeNull()
}

const receiver = createReceiver({
  secret: ({ params }) => (params.env === 'nowhere' ? undefined : TEST_SECRET),
  logger: false,
  bodyLimitBytes: 10_000,
  deadlineSeconds: 0.5,
  onUserUpserted: () => {},
})

test('receiver.fetch answers a Hono route', async () => {
  const app = new Hono().post('/hooks/:env', (c) => receiver.fetch(c.req.raw, { params: c.req.param() }))
  await expectResponse(await app.request('/hooks/live', signDelivery(hire)), 'processed')
  await expectResponse(await app.request('/hooks/nowhere', signDelivery(hire)), 'invalid-signature')
})

test('receiver.fetch works without its receiver', async () => {
  const { fetch } = receiver
  const answer = await fetch(new Request('http://localhost/', { method: 'PUT' }))
  expect(answer.status).toBe(405)
})

test('receiver.fetch is a Next.js route handler', async () => {
  const POST = async (
    request: NextRequest,
    context: { params: Promise<{ env: string }> },
  ): Promise<Response> => receiver.fetch(request, { params: await context.params })
  const request = new Request(url, signDelivery(hire)) as NextRequest
  await expectResponse(await POST(request, { params: Promise.resolve({ env: 'live' }) }), 'processed')
})

test('receiver.fetch refuses a body over the limit before its end', async () => {
  let pulled = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++
      controller.enqueue(new Uint8Array(1000))
    },
  })
  const request = new Request(url, { ...signDelivery(hire), body: endless, duplex: 'half' } as RequestInit)
  await expectResponse(await receiver.fetch(request), 'too-large')
  expect(pulled).toBeLessThan(20)
})

test('receiver.fetch refuses a request without a signature before its body arrives', async () => {
  const silent = new ReadableStream<Uint8Array>({})
  const request = new Request(url, { method: 'POST', body: silent, duplex: 'half' } as RequestInit)
  await expectResponse(await receiver.fetch(request), 'invalid-signature')
})

test('receiver.fetch refuses a body that was read before, and the log names the fix for receiver.fetch', async () => {
  const log = recordingLogger()
  const receiver = createReceiver({ secret: TEST_SECRET, logger: log, onUserUpserted: () => {} })
  const request = new Request(url, signDelivery(hire))
  const copy = request.clone()
  await request.json()
  await expectResponse(await receiver.fetch(request), 'body-consumed')
  expect(log.lines[0]?.message).toContain('pass it a `request.clone()`')
  expect(log.lines[0]?.message).not.toContain('express')
  await expectResponse(await receiver.fetch(copy), 'processed')
})

test('receiver.fetch cancels the stream of a body that has not arrived by the deadline', async () => {
  let cancelled = false
  const silent = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled = true
    },
  })
  const request = new Request(url, { ...signDelivery(hire), body: silent, duplex: 'half' } as RequestInit)
  await expectResponse(await receiver.fetch(request), 'body-timeout')
  expect(cancelled).toBe(true)
})

test('receiver.fetch reports an aborted body', async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error('reset')),
  })
  const request = new Request(url, { ...signDelivery(hire), body: broken, duplex: 'half' } as RequestInit)
  await expectResponse(await receiver.fetch(request), 'body-aborted')
})

test('receiver.fetch refuses other methods, and HEAD without a body', async () => {
  expect((await receiver.fetch(new Request(url, { method: 'HEAD' }))).status).toBe(405)
  await expectResponse(await receiver.fetch(new Request(url)), 'method')
})
