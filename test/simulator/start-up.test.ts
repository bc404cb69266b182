import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createSimulator, PortError, type Simulator } from '@scalekit-scim/simulator'
import { expect, it, onTestFinished } from 'vitest'
import { openPort } from '../../packages/simulator/src/port.ts'

it('the simulator reports that its port is in use, with the fix', async () => {
  await using first = await createSimulator()
  const port = Number(new URL(first.url).port)
  const refused = await createSimulator({ port }).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(PortError)
  expect(refused).toMatchObject({
    code: 'EADDRINUSE',
    message: `Cannot listen on port ${port} of 127.0.0.1 (EADDRINUSE): the port is in use. Choose another port, or 0 for any free port.`,
  })
})

it.each(['P', 'PR'])(
  'the simulator keeps running if a client sends only %s, and accepts a preface in pieces',
  async (start) => {
    await using simulator = await createSimulator()
    const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1').on('error', () => {})
    onTestFinished(() => void socket.destroy())
    socket.write(start)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await fetch(`${simulator.url}/keys`)).status).toBe(200)

    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.slice(start.length))
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    const [answer] = await once(socket, 'data')
    // A SETTINGS frame (RFC 9113, 6.5) shows that the server uses HTTP/2.
    expect(answer[3]).toBe(4)
  },
)

it('the simulator answers a long body or an invalid secret in JSON, without a stack', async () => {
  await using simulator = await createSimulator()
  const post = (path: string, type: string, body: string) =>
    fetch(simulator.url + path, { method: 'POST', headers: { 'content-type': type }, body })
  const long = await post('/oauth/token', 'application/x-www-form-urlencoded', 'x'.repeat(3_000_000))
  expect([long.status, await long.json()]).toEqual([413, { error: 'Payload Too Large' }])

  const endpoint = JSON.stringify({ url: 'http://127.0.0.1:9/', secret: 'whsec_!!' })
  const refused = await post('/console/api/endpoints', 'application/json', endpoint)
  expect(refused.status).toBe(400)
  expect(await refused.text()).not.toContain('!!')
})

it('each start has new ids and the same secrets; with a seed, the ids are also the same', async () => {
  const endpoints = [{ url: 'http://127.0.0.1:9/webhooks' }]
  await using first = await createSimulator({ endpoints })
  await using second = await createSimulator({ endpoints })
  expect(second.environment.id).not.toBe(first.environment.id)
  expect(pasted(second)).toEqual(pasted(first))

  await using third = await createSimulator({ endpoints, seed: 7 })
  await using fourth = await createSimulator({ endpoints, seed: 7 })
  expect(fourth.environment.id).toBe(third.environment.id)
  expect(pasted(fourth)).toEqual(pasted(third))
})

it('the simulator repeats a run byte by byte with the same seed and the same start time', async () => {
  const one = await attemptsOfARun()
  expect(await attemptsOfARun()).toEqual(one)
  expect(one.filter(({ status }) => status === 500).length).toBeGreaterThan(3)
})

function pasted({ variables: { SCALEKIT_ENVIRONMENT_URL: _, ...others } }: Simulator) {
  return others
}

/** Creates and changes twenty users under faults. The endpoint refuses every third length of a body. */
async function attemptsOfARun() {
  const server = createServer(async (request, response) => {
    let length = 0
    for await (const chunk of request) length += chunk.length
    response.writeHead(length % 3 === 0 ? 500 : 201).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await using simulator = await createSimulator({
    seed: 'a run',
    clockSpeed: 0,
    from: new Date('2026-11-23T09:00:00Z'),
    endpoints: [{ url }],
    faults: {
      webhooks: { drop: { share: 0.1 }, corruptSignature: { share: 0.2 }, duplicate: { share: 0.2 } },
    },
  })
  const { environment, deliveries } = simulator
  const { id } = environment.createDirectory(environment.createOrganization({ displayName: 'Acme' }).id)
  for (let n = 0; n < 20; n++) {
    const user = environment.createUser(id, { attributes: { userName: `person${'x'.repeat(n)}` } })
    await simulator.step(1000)
    if (n % 4 === 0) environment.updateUser(user.id, { active: false })
  }
  await simulator.step(3_600_000)
  return deliveries.messages.flatMap(({ id, deliveries }) =>
    deliveries.flatMap(({ state, attempts }) =>
      attempts.map(({ number, startedAtMs, request, response, faults }) => ({
        id,
        state,
        number,
        startedAtMs,
        signature: request.headers['webhook-signature'],
        body: request.body,
        status: response?.status,
        faults,
      })),
    ),
  )
}

it('the simulator ends a connection with slow headers, as any HTTP server does', async () => {
  const port = await openPort({ host: '127.0.0.1', port: 0, headersTimeoutMs: 200 })
  onTestFinished(() => port.close())
  port.serve(
    (_request, response) => response.end('hello'),
    () => {},
  )
  const socket = connect(Number(new URL(port.url).port), '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nx-slow: ')
  const slowly = setInterval(() => socket.write('x'), 20)
  onTestFinished(() => clearInterval(slowly))
  let answer = ''
  for await (const chunk of socket) answer += chunk
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  expect(await (await fetch(port.url)).text()).toBe('hello')
})
