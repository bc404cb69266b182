import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { createSimulator, type Simulator } from '@scalekit-scim/simulator'
import { expect, it, onTestFinished } from 'vitest'
import { startEndpoint } from './delivery-scene.ts'

it("close() ends the streams of the console's open pages and every idle connection", async () => {
  const simulator = await createSimulator()
  const page = await fetch(`${simulator.url}/console/api/live`)
  const silent = await socketTo(simulator)
  const idle = await socketTo(simulator, 'GET /keys HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await once(idle, 'data')
  const session = connectHttp2(simulator.url)
  await once(session, 'connect')

  const ended = [silent, idle, session].map((connection) => once(connection, 'close'))
  await simulator.close()
  // The stream ended normally. A broken connection would reject here.
  expect(await page.text()).toMatch(/^retry: 1000\n/)
  await Promise.all(ended)
  await expect(fetch(simulator.url)).rejects.toThrow()
})

it('close() waits at most a second for requests under way', async () => {
  const simulator = await createSimulator()
  const type = 'content-type: application/x-www-form-urlencoded'
  const request = `POST /oauth/token HTTP/1.1\r\nhost: localhost\r\n${type}\r\ncontent-length: 10\r\n\r\n`
  const stuck = (await socketTo(simulator, `${request}half`)).resume()
  const ended = once(stuck, 'close')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await simulator.close()
  await ended
})

it('close() waits for the attempts under way', async () => {
  let answer = () => {}
  const endpoint = await startEndpoint((response) => {
    answer = () => response.writeHead(201).end()
  })
  const simulator = await createSimulator({ endpoints: [{ url: endpoint.url }] })
  const { id } = simulator.environment.createOrganization({ displayName: 'Acme' })
  simulator.environment.createDirectory(id)
  await expect.poll(() => endpoint.received.length).toBe(1)
  const closed = simulator.close()
  expect(simulator.close()).toBe(closed)
  setTimeout(answer, 50)
  await closed
  expect(simulator.deliveries.messages).toMatchObject([{ deliveries: [{ state: 'delivered' }] }])
})

async function socketTo({ url }: Simulator, text = ''): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  if (text !== '') socket.write(text)
  return socket
}
