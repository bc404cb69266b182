import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StableAddress extends AsyncDisposable {
  url: string
}

/**
 * A proxy in front of the application, like a load balancer. Its address is the same after each restart. The proxy
 * answers 502 while the application is down. `passing` runs before each request is forwarded.
 */
export async function openStableAddress(
  port: () => number | undefined,
  passing: () => void,
): Promise<StableAddress> {
  const agent = new Agent({ keepAlive: true })
  const server = createServer((incoming, response) => {
    passing()
    const target = port()
    if (target === undefined) refuse(response)
    else forward(incoming, response, target, agent)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port: own } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${own}/webhooks/scalekit`,
    async [Symbol.asyncDispose]() {
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function forward(incoming: IncomingMessage, response: ServerResponse, port: number, agent: Agent): void {
  const { method, url, headers } = incoming
  const outgoing = request({ host: '127.0.0.1', port, agent, method, path: url, headers })
  outgoing.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
    answer.on('error', () => response.destroy())
  })
  outgoing.on('error', () => refuse(response))
  incoming.pipe(outgoing)
}

function refuse(response: ServerResponse): void {
  if (response.headersSent) response.destroy()
  else response.writeHead(502).end()
}
