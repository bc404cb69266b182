import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReceiver, type ScimEvent } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim } from '@scalekit-scim/express'
import express from 'express'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { runCommand } from './command-line.ts'
import { serve, stopServing } from './own-endpoint.ts'

const folder = mkdtempSync(join(tmpdir(), 'scim-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(stopServing)

const userCreated = 'organization.directory.user_created'
const signed = ['--secret', TEST_SECRET]

/** The project's own middleware, and the events that it has accepted. */
async function application() {
  const events: ScimEvent[] = []
  const receiver = createReceiver({
    secret: TEST_SECRET,
    logger: false,
    onEvent: (event) => void events.push(event),
  })
  const url = await serve(express().use(scalekitScim({ receiver, path: '/hooks' })))
  return { url, events }
}

function fileWith(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** An address that refuses connections. */
async function nowhere(): Promise<string> {
  const url = await serve(() => {})
  await stopServing()
  return url
}

describe('the command line', () => {
  test.each(['', 'simulate', 'send', 'replay', 'doctor'])(
    '%s --help prints the usage and examples',
    async (name) => {
      const ran = await runCommand([...(name ? [name] : []), '--help'])
      expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
      expect(ran.stdout).toMatch(/^Usage: scalekit-scim/)
      expect(ran.stdout).toMatch(/Examples:\n {2}scalekit-scim /)
    },
  )

  test('send --help lists the event types of send, and help send prints the same', async () => {
    const { stdout } = await runCommand(['help', 'send'])
    expect(await runCommand(['send', '--help'])).toEqual({ exitCode: 0, stdout, stderr: '' })
    const { stderr } = await runCommand(['send', 'nothing', '--to', 'http://127.0.0.1:9', ...signed])
    const types = stderr.match(/(user|group|directory)_[a-z]+/g) ?? []
    expect(types).toHaveLength(8)
    for (const type of types) expect(stdout).toMatch(new RegExp(`^ {2}.*\\b${type}\\b`, 'm'))
  })

  test('--version prints the version', async () => {
    const manifest = new URL('../../packages/cli/package.json', import.meta.url)
    const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
    expect(await runCommand(['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
  })

  const to = ['--to', 'http://127.0.0.1:9/hooks']
  const wrong: [args: string[], says: RegExp][] = [
    [['dcotor'], /unknown command 'dcotor' \(Did you mean doctor\?\)\. See scalekit-scim --help\./],
    [['doctor'], /missing required argument 'URL'\. See scalekit-scim doctor --help\./],
    [
      ['doctor', '/hooks', ...signed],
      /"\/hooks" is not an http or https address\. Give the full address: http:/,
    ],
    [
      ['doctor', 'http://127.0.0.1:9'],
      /The signing secret is missing\. Give --secret, or set SCALEKIT_WEBHOOK_SECRET\./,
    ],
    [['doctor', 'http://127.0.0.1:9', '--secret', 'whsec_!'], /--secret is not base64\. Copy .* \(whsec_…\)/],
    [['doctor', 'http://127.0.0.1:9', '--secert=aHVzaA=='], /unknown option '--secert'\. See/],
    [['send', userCreated, ...signed], /required option '--to <URL>' not specified/],
    [
      ['send', 'user_craeted', ...to, ...signed],
      /"user_craeted" is not an event type\. The types .* user_created, /,
    ],
    [['send', 'user_created', ...to, ...signed, '--set', 'data.active'], /--set takes path=value/],
    [['send', 'user_created', ...to, ...signed, '--set', '.a=1'], /--set takes path=value/],
    [['send', 'user_created', ...to, ...signed, '--set', 'data..a=1'], /--set takes path=value/],
    [
      ['send', 'user_created', ...to, ...signed, '--set', 'type=a.b'],
      /--set type: give the type as the argument of the command/,
    ],
    [
      ['send', 'user_created', ...to, ...signed, '--set', 'type.a=1'],
      /--set type\.a: events do not have such/,
    ],
    [
      ['send', 'user_created', ...to, ...signed, '--set', 'id.a=1'],
      /--set id\.a: events do not have such a field/,
    ],
    [
      ['send', 'user_created', ...to, ...signed, '--set', '__proto__.x=1'],
      /not have such a field\. Give data\.<path>/,
    ],
    [['send', 'user_created', ...to, ...signed, '--set', 'constructor=1'], /not have such a field/],
    [['send', 'user_created', ...to, ...signed, '--set', 'data=1'], /--set data takes a JSON object/],
    [['send', 'user_created', ...to, ...signed, '--set', 'data=[]'], /--set data takes a JSON object/],
    [
      ['send', 'user_created', ...to, ...signed, '--set', 'data.email.a=1'],
      /data\.email\.a: email is not an object/,
    ],
    [['send', 'user_created', ...to, ...signed, '--at', '5'], /--at takes a time such as/],
    [['send', 'user_created', ...to, ...signed, '--at', 'noon'], /--at takes a time such as/],
    [['send', 'user_created', ...to, ...signed, '--id', 'a b'], /--id must be 1 to 256 printable/],
    [['send', 'user_created', ...to, ...signed, '--data', '/no/where'], /cannot be read \(ENOENT\)/],
    [['replay', '/no/where', ...to, ...signed], /cannot be read \(ENOENT\)/],
    [['replay', '', ...to, ...signed], /: The file "" cannot be read \(ENOENT\)/],
    [['replay', '-', ...to, ...signed], /: Standard input is empty, so nothing is sent/],
    [['doctor', 'http://ada:p%zz@127.0.0.1:9', ...signed], /password in the address is not percent-encoded/],
    [['simulate', ...signed], /--secret needs --endpoint\. Add --endpoint URL, or omit/],
    [['simulate', '--host', ''], /'--host <address>' argument '' is invalid\. The value must not be empty/],
    [['doctor', 'http://127.0.0.1:9', ...signed, '--organization', ' '], /The value must not be empty/],
    [['simulate', '--port', '70000'], /must be a whole number, from 0 to 65535/],
  ]
  test.each(wrong)('the arguments %j exit with 2 and one line', async (args, says) => {
    const { exitCode, stdout, stderr } = await runCommand(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^scalekit-scim: [^\n]+\n$/)
    expect(stderr).toMatch(says)
  })

  test.each([[['send', 'user_created', '--to']], [['replay', '-', '--to']], [['doctor']]])(
    '%j exits with 3 if the connection is refused',
    async (args) => {
      const input = JSON.stringify(sampleEvent(userCreated))
      const url = await nowhere()
      const ran = await runCommand([...args, url, ...signed, '--json'], {
        input,
      })
      expect(ran).toEqual({
        exitCode: 3,
        stdout: '',
        stderr: `scalekit-scim: Could not connect to ${url} (ECONNREFUSED). Check that the application is running at this address.\n`,
      })
    },
  )
})

describe('send', () => {
  test('send sends one signed delivery and prints the answer', async () => {
    const { url, events } = await application()
    const ran = await runCommand(['send', 'user_created', '--to', url, '--id', 'msg_1'], {
      env: { SCALEKIT_WEBHOOK_SECRET: TEST_SECRET },
    })
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ran.stdout).toContain(`POST ${url}\n${userCreated} ${events[0]?.id} msg_1\n`)
    expect(ran.stdout).toMatch(
      /^201 Created in \d+ ms, processed\n\{"message":"Webhook processed successfully"\}\n$/m,
    )
    expect(events).toMatchObject([{ type: userCreated, data: { email: 'amelia.hart@example.com' } }])
  })

  test('send takes fields from a file and from --set', async () => {
    const { url, events } = await application()
    const data = fileWith('user.json', '{"organization_id":"org_1","email":"a@x.example","title":"Chief"}')
    const sets = ['data.active=false', 'data.email=b@x.example', 'data.raw_attributes.level=7', 'id=evt_1']
    const args = ['send', userCreated, '--to', url, ...signed, '--data', data]
    await runCommand([...args, ...sets.flatMap((set) => ['--set', set])])
    expect(events).toMatchObject([
      {
        id: 'evt_1',
        organization_id: 'org_1',
        data: {
          organization_id: 'org_1',
          name: 'Amelia Hart',
          title: 'Chief',
          active: false,
          email: 'b@x.example',
          raw_attributes: { level: 7 },
        },
      },
    ])
  })

  test('the fields of the envelope keep their types, and data takes any name and value', async () => {
    const { url, events } = await application()
    const sets = ['id=7', 'display_name=null', 'data.active="no"', 'data.__proto__.x=1', 'data.seats=[1]']
    const args = ['send', userCreated, '--to', url, ...signed, ...sets.flatMap((set) => ['--set', set])]
    expect(await runCommand(args)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(events).toMatchObject([{ id: '7', display_name: null, data: { active: 'no', seats: [1] } }])
    expect(Object.entries(events[0]?.data ?? {})).toContainEqual(['__proto__', { x: 1 }])
  })

  test('--data refuses a whole event', async () => {
    const args = ['send', userCreated, '--to', 'http://127.0.0.1:9', ...signed, '--data', '-']
    const ran = await runCommand(args, { input: JSON.stringify(sampleEvent(userCreated)) })
    expect(ran).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(/is a whole event/) })
  })

  test('send sends any event type of Scalekit', async () => {
    const { url, events } = await application()
    const input = '{"id":"org_1"}'
    await runCommand(['send', 'organization.created', '--to', url, ...signed, '--data', '-'], { input })
    expect(events).toMatchObject([{ type: 'organization.created', data: { id: 'org_1' } }])
  })

  test('--json prints one document, and a refusal exits with 1', async () => {
    const { url, events } = await application()
    const ran = await runCommand(['send', 'user_created', '--to', url, ...signed, '--at', '-600', '--json'])
    expect(ran).toMatchObject({ exitCode: 1, stderr: '' })
    expect(JSON.parse(ran.stdout)).toMatchObject({
      delivered: false,
      event: { type: userCreated },
      status: 400,
      headers: { 'scalekit-scim-outcome': 'invalid-signature' },
      body: '{"error":"Invalid signature"}',
    })
    expect(ran.stdout).not.toContain(TEST_SECRET)
    expect(events).toEqual([])
  })

  test('202 does not count as delivered', async () => {
    const url = await serve((_req, res) => void res.writeHead(202).end('\u001b]0;mine\u0007later'))
    const { exitCode, stdout } = await runCommand(['send', 'user_created', '--to', url, ...signed])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^Scalekit counts only 200 and 201 as delivered, and sends this event again\.$/m)
    // Control characters could move the cursor or rename the window.
    expect(stdout).toContain('\ufffd]0;mine\ufffdlater')
  })

  test('a password in the address is sent and is not printed', async () => {
    let authorization: string | undefined
    const url = await serve((req, res) => {
      authorization = req.headers.authorization
      res.writeHead(201).end()
    })
    const withPassword = url.replace('http://', 'http://ada:open-sesame@')
    const { stdout } = await runCommand(['send', 'user_created', '--to', withPassword, ...signed])
    expect(authorization).toBe(`Basic ${Buffer.from('ada:open-sesame').toString('base64')}`)
    expect(stdout).not.toContain('sesame')
  })
})

describe('replay', () => {
  const old = new Date(Date.now() - 3_600_000)
  const first = signDelivery(sampleEvent(userCreated, { id: 'evt_1' }), { messageId: 'msg_1', at: old })
  const recorded = { headers: first.headers, body: first.body.toString() }
  const event = sampleEvent('organization.directory.user_updated', { id: 'evt_2' })

  test('replay sends each item again with a new signature, in order and with its id', async () => {
    const { url, events } = await application()
    const lines = [recorded, event, { request: recorded }, { id: 'msg_3', event: { ...event, id: 'evt_3' } }]
    const path = fileWith('all.jsonl', `${lines.map((line) => JSON.stringify(line)).join('\n\n')}\n`)
    const ran = await runCommand(['replay', path, '--to', url, ...signed, '--json'])
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    const report = JSON.parse(ran.stdout)
    expect(report).toMatchObject({ sent: 4, delivered: 4 })
    const outcomes = report.deliveries.map(
      (delivery: { messageId: string; headers: Record<string, string> }) =>
        `${delivery.messageId.slice(0, 5)} ${delivery.headers['scalekit-scim-outcome']}`,
    )
    expect(outcomes).toEqual([
      'msg_1 processed',
      expect.stringMatching(/^msg_. processed$/),
      'msg_1 duplicate',
      'msg_3 processed',
    ])
    expect(events.map(({ id }) => id)).toEqual(['evt_1', 'evt_2', 'evt_3'])
  })

  describe('the connection', () => {
    const input = Array.from({ length: 4 }, () => JSON.stringify(event)).join('\n')

    /** Replays four events. Returns the printed lines, and the number of the connection for each event. */
    async function replayTo(answer: RequestListener) {
      const sockets: Socket[] = []
      const url = await serve((req, res) => {
        sockets.push(req.socket)
        req.resume().on('end', () => answer(req, res))
      })
      const { stdout, exitCode } = await runCommand(['replay', '-', '--to', url, ...signed], { input })
      const printed = stdout.split('\n').flatMap((line) => line.match(/\d+ OK|No answer/) ?? [])
      const known = [...new Set(sockets)]
      return { exitCode, printed, connections: sockets.map((socket) => known.indexOf(socket)) }
    }

    const delivered = { exitCode: 0, printed: ['200 OK', '200 OK', '200 OK', '200 OK'] }

    test('the connection is reused if the endpoint keeps it open', async () => {
      const ran = await replayTo((_req, res) => res.writeHead(200).end())
      expect(ran).toEqual({ ...delivered, connections: [0, 0, 0, 0] })
    })

    test('the connection is new for each delivery if the endpoint closes it', async () => {
      const ran = await replayTo((_req, res) => res.writeHead(200, { connection: 'close' }).end())
      expect(ran).toEqual({ ...delivered, connections: [0, 1, 2, 3] })
    })

    test('the connection is new for each delivery if the endpoint closes it without a header', async () => {
      const ran = await replayTo(({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))
      expect(ran).toEqual({ ...delivered, connections: [0, 1, 2, 3] })
    })

    test('the connection is replaced after a cut, and the cut delivery is reported and not sent again', async () => {
      let count = 0
      const ran = await replayTo(({ socket }, res) => {
        count++
        if (count === 2) socket.destroy()
        else res.writeHead(200).end()
      })
      expect(ran).toEqual({
        exitCode: 1,
        printed: ['200 OK', 'No answer', '200 OK', '200 OK'],
        connections: [0, 0, 1, 1],
      })
    })
  })

  test('replay signs each delivery when it sends it', async () => {
    const times: number[] = []
    const url = await serve((req, res) => {
      times.push(Number(req.headers['webhook-timestamp']))
      setTimeout(() => res.writeHead(200).end(), times.length === 1 ? 1100 : 0)
    })
    const input = JSON.stringify([event, event])
    expect((await runCommand(['replay', '-', '--to', url, ...signed], { input })).exitCode).toBe(0)
    expect(times[1]).toBeGreaterThan(times[0] ?? Number.NaN)
  })

  test('--as-is keeps the recorded headers, including an expired signature', async () => {
    const received: NodeJS.Dict<string | string[]>[] = []
    const server = createServer((req, res) => {
      received.push(req.headers)
      res.writeHead(200).end()
    })
    const url = await serve((req, res) => server.emit('request', req, res))
    const path = fileWith(
      'one.json',
      JSON.stringify({ ...recorded, headers: { ...recorded.headers, Host: 'x' } }),
    )
    const ran = await runCommand(['replay', path, '--to', url, '--as-is'])
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^msg_1 {2}200 OK in \d+ ms\n\n1 of 1 delivered\.\n$/)
    expect(received).toMatchObject([{ ...first.headers, host: new URL(url).host }])

    const { url: real } = await application()
    expect((await runCommand(['replay', path, '--to', real, '--as-is'])).exitCode).toBe(1)
  })

  test('replay reads a file with a byte order mark, and headers as lists', async () => {
    const { url, events } = await application()
    const listed = Object.entries(recorded.headers).map(([name, value]) => [name, [value]])
    const text = JSON.stringify({ ...recorded, headers: Object.fromEntries(listed) })
    const ran = await runCommand(['replay', fileWith('bom.json', `\ufeff${text}`), '--to', url, ...signed])
    expect(ran).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringMatching(/^msg_1 {2}201/) })
    expect(events).toHaveLength(1)
  })

  const notSent: [name: string, item: object, says: RegExp][] = [
    [
      'a line break',
      { id: 'msg_1\n', event },
      /^Item 1 of standard input: the message id must be 1 to 256 printable/,
    ],
    [
      'a letter that headers cannot have',
      { id: 'msg_é', event },
      /^Item 1 of standard input: the message id must be 1 to 256/,
    ],
    [
      'too many characters',
      { ...recorded, headers: { 'webhook-id': 'm'.repeat(257) } },
      /the message id must be 1 to 256/,
    ],
    ['no characters', { id: '', event }, /the message id must be 1 to 256 printable/],
    [
      'the type of a number',
      { id: 7, event },
      /^Item 1 of standard input: "id" is not text\. Give the message id/,
    ],
    [
      'the type of an object',
      { ...recorded, headers: { 'Webhook-Id': {} } },
      /the header "Webhook-Id" is not text/,
    ],
  ]
  test.each(notSent)('replay sends nothing if a message id has %s', async (_name, item, says) => {
    const { url, events } = await application()
    const ran = await runCommand(['replay', '-', '--to', url, ...signed], { input: JSON.stringify(item) })
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr.replace(/^scalekit-scim: /, '')).toMatch(says)
    expect(ran.stderr).toMatch(/^[^\n]+\n$/)
    expect(events).toEqual([])
  })

  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`

  const unusable: [name: string, text: string, says: RegExp][] = [
    ['empty', '', /is empty, so nothing is sent/],
    ['a file with an invalid line', '{"type":"a.b","data":{}}\n{', /Line 2 of .* is not JSON\./],
    [
      'a file with an item that is not an event',
      '[{"type":"a.b","data":{}},{"hello":1}]',
      /Item 2 of .* is not an event or a delivery/,
    ],
    [
      'a delivery with a header of two lines',
      JSON.stringify({ headers: { 'x-a': 'b\nc' }, body: '' }),
      /Item 1 of standard input: HTTP cannot transport the header "x-a"/,
    ],
    ['nested too deeply', `{"type":"a.b","data":${deep}}`, /Item 1 of standard input is nested too deeply/],
    [
      'a request in requests',
      `${'{"request":'.repeat(9000)}1${'}'.repeat(9000)}`,
      /is not an event or a delivery/,
    ],
    [
      'an event and --as-is is given',
      JSON.stringify(event),
      /Item 1 of standard input is an event without recorded headers\. To sign the event, omit --as-is/,
    ],
  ]
  test.each(unusable)('replay sends nothing if the recording is %s', async (_name, text, says) => {
    const { url, events } = await application()
    const ran = await runCommand(['replay', '-', '--to', url, '--as-is', ...signed], { input: text })
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toMatch(says)
    expect(events).toEqual([])
  })
})
