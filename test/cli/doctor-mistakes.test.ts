import { TEST_SECRET } from '@scalekit-scim/core/testing'
import express from 'express'
import Fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { runCommand } from './command-line.ts'
import { type Mistakes, ownEndpoint, serve, stopServing } from './own-endpoint.ts'

afterEach(stopServing)

interface Report {
  good: boolean
  wrong: number
  notes: number
  checks: { check: string; state: string; detail: string; hint?: string }[]
}

async function examine(url: string, ...args: string[]) {
  const { exitCode, stdout, stderr } = await runCommand([
    'doctor',
    url,
    '--secret',
    TEST_SECRET,
    '--json',
    ...args,
  ])
  const report: Report = JSON.parse(stdout)
  const named = (state: string) =>
    report.checks.filter((check) => check.state === state).map(({ check }) => check)
  return { exitCode, stderr, report, wrong: named('wrong'), notes: named('note') }
}

test('an endpoint without mistakes passes all checks', async () => {
  const found = await examine(await serve(ownEndpoint()), '--write')
  expect(found).toMatchObject({ exitCode: 0, stderr: '', wrong: [], notes: [] })
  expect(found.report).toMatchObject({ good: true, wrong: 0, notes: 0 })
})

describe('the doctor reports one mistake and no other', () => {
  const cases: [name: string, mistakes: Mistakes, wrong: string[]][] = [
    ['verifying JSON.stringify(req.body)', { verifiesParsedBody: true }, ['bytes']],
    ['accepting unsigned deliveries', { acceptsUnsigned: true }, ['unsigned']],
    ['no tolerance of time', { ignoresTime: true }, ['expired', 'from-the-future']],
    ['202', { status: 202 }, ['status']],
    ['204', { status: 204 }, ['status']],
    ['no deduplication', { forgetsMessages: true }, ['write-duplicate', 'write-duplicates-at-once']],
    ['checking for duplicates before the write', { asksBeforeItWrites: true }, ['write-duplicates-at-once']],
    ['reading one signature of the list', { readsFirstSignatureOnly: true }, ['several-signatures']],
    ['a body limit of 100 kB', { bodyLimit: '100kb' }, ['large']],
    ['failing on unknown users', { failsOnUnknownUsers: true }, ['write-unknown']],
  ]
  test.each(cases)('%s', async (_name, mistakes, wrong) => {
    const found = await examine(await serve(ownEndpoint(mistakes)), '--write')
    expect(found).toMatchObject({ exitCode: 1, wrong })
    for (const check of found.report.checks.filter(({ state }) => state === 'wrong')) {
      expect(check.detail).toMatch(/\.$/)
      expect(check.hint).toMatch(/\.$/)
    }
  })
})

test('work that is silently repeated is a note', async () => {
  const found = await examine(await serve(ownEndpoint({ repeatsSilently: true })), '--write')
  expect(found).toMatchObject({ exitCode: 0, wrong: [], notes: ['write-duplicate'] })
})

test('an answer before the work is a note, because it accepts an event without data', async () => {
  const found = await examine(await serve(ownEndpoint({ answersBeforeItWorks: true })), '--write')
  expect(found).toMatchObject({ exitCode: 0, wrong: [] })
  expect(found.notes).toContain('write-unusable')
})

test('an endpoint that verifies nothing fails each check of forgeries', async () => {
  const found = await examine(await serve(ownEndpoint({ verifiesNothing: true })))
  const forgeries = ['unsigned', 'forged', 'tampered', 'empty-key', 'malformed-headers', 'expired']
  expect(found.wrong).toEqual([...forgeries, 'from-the-future'])
})

test.each([0, 1, 8])(
  'behind a rate limit of %i, a 429 does not count as the refusal of a forgery',
  async (limit) => {
    let count = 0
    const app = express()
      .use((_req, res, next) => (++count > limit ? void res.status(429).end() : next()))
      .use(ownEndpoint({ verifiesNothing: true }))
    const { report, exitCode } = await examine(await serve(app))
    expect(exitCode).toBe(1)
    const states = Object.fromEntries(report.checks.map(({ check, state }) => [check, state]))
    for (const check of ['tampered', 'empty-key', 'expired']) expect(states[check], check).not.toBe('ok')
    const limited = report.checks.filter(({ detail }) => detail.startsWith('A rate limit answers'))
    expect(limited).toMatchObject([
      { state: 'wrong', hint: expect.stringMatching(/^Exclude this path from rate limits/) },
    ])
  },
)

test('a comparison that throws on another length fails the check of several signatures', async () => {
  const found = await examine(await serve(ownEndpoint({ comparesWithoutLength: true })))
  expect(found.wrong).toEqual(['several-signatures'])
  expect(found.notes).toEqual(['malformed-headers'])
})

test('a refused type is not reported as a refused signature', async () => {
  const found = await examine(await serve(ownEndpoint({ rejectsUnknownTypes: true })))
  expect(found).toMatchObject({ exitCode: 1, wrong: ['valid'] })
  expect(found.report.checks[0]?.detail).toMatch(/of an unknown type \(422\)/)
})

test('a crash of the endpoint is reported, and the checks after it are skipped', async () => {
  const found = await examine(await serve(ownEndpoint({ endsOnMalformedBody: true })))
  expect(found).toMatchObject({ exitCode: 1, wrong: ['no-event'] })
  expect(found.report.checks.find(({ check }) => check === 'at-once')?.state).toBe('skipped')
})

test.each([
  ['user_created', ['write-create', 'write-duplicates-at-once']],
  ['user_updated', ['write-stale']],
])('a crash on a %s is reported with the users that may be left', async (type, at) => {
  const crashesOn = `organization.directory.${type}`
  const found = await examine(await serve(ownEndpoint({ crashesOn })), '--write')
  expect(found).toMatchObject({ exitCode: 1, wrong: [...at, 'write-delete'] })
  const { checks } = found.report
  for (const { detail } of checks.filter(({ check }) => at.includes(check))) {
    expect(detail).toMatch(/^The endpoint does not answer: .*\(no answer \(/)
  }
  expect(checks.find(({ check }) => check === 'write-delete')).toMatchObject({
    detail: expect.stringMatching(/^The endpoint no longer answers, .+ users can remain: diruser_doctor_/),
    hint: expect.stringContaining('Start the application again, and delete the users by hand.'),
  })
  for (const { detail } of checks) expect(detail).not.toMatch(/refuse.*no answer/)
})

test('with another secret, the doctor reports only the refusal and skips the rest', async () => {
  const { exitCode, stdout } = await runCommand([
    'doctor',
    await serve(ownEndpoint()),
    '--secret',
    'whsec_YW5vdGhlciBzZWNyZXQgdGhhdCBpcyBub3QgdGhlaXJz',
    '--write',
    '--json',
  ])
  const report: Report = JSON.parse(stdout)
  expect(exitCode).toBe(1)
  expect(report.checks[0]?.hint).toMatch(/^Check that --secret is the secret of this endpoint\./)
  expect(new Set(report.checks.slice(1).map(({ state }) => state))).toEqual(new Set(['skipped']))
})

test('Fastify with its own JSON parser fails the check of bytes', async () => {
  const fastify = Fastify()
  const app = ownEndpoint()
  fastify.post('/hooks', (request, reply) => {
    // As in some published examples, the endpoint serializes the parsed body again and verifies the result.
    const text = JSON.stringify(request.body)
    reply.hijack()
    void forward(app, request.headers, text).then(({ status, body }) => {
      reply.raw.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
  })
  const url = await fastify.listen({ host: '127.0.0.1', port: 0 })
  const found = await examine(`${url}/hooks`)
  await fastify.close()
  expect(found.wrong).toEqual(['bytes'])
  expect(found.notes).toContain('content-type')
})

async function forward(app: Parameters<typeof serve>[0], headers: object, body: string) {
  const url = await serve(app)
  const kept = Object.fromEntries(
    Object.entries(headers).filter(([name]) => /^(webhook-|content-type)/.test(name)),
  )
  const response = await fetch(url, { method: 'POST', headers: kept, body })
  return { status: response.status, body: await response.text() }
}
