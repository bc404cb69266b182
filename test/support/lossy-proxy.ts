import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer, type Server } from 'node:net'

export interface LossyProxy {
  port: number
  /**
   * Loses the answer to the next request that contains `text`, together with its connection. The server still runs the
   * request.
   */
  loseNextAnswer(text?: string): void
  /** Loses the next request that holds `text`, together with its connection. The server never receives the request. */
  loseNextRequest(text?: string): void
  /** The number of lost requests and answers. */
  readonly lost: number
  /** Ends all connections, and refuses new ones. */
  pause(): Promise<void>
  resume(): Promise<void>
  close(): Promise<void>
}

/** Forwards bytes to a server on `port`. */
export async function lossyProxy(port: number): Promise<LossyProxy> {
  let losingAnswerTo: string | undefined
  let losingRequest: string | undefined
  let lost = 0
  const clients = new Set<Socket>()
  const pass = (client: Socket) => {
    const server = connect(port, '127.0.0.1')
    let losing = false
    clients.add(client)
    client
      .on('error', () => {})
      .on('close', () => {
        clients.delete(client)
        server.destroy()
      })
    server.on('error', () => {}).on('close', () => client.destroy())
    client.on('data', (data) => {
      if (losingRequest !== undefined && data.includes(losingRequest)) {
        lost++
        losingRequest = undefined
        return void client.destroy()
      }
      if (losingAnswerTo !== undefined && data.includes(losingAnswerTo)) {
        losing = true
        losingAnswerTo = undefined
      }
      server.write(data)
    })
    server.on('data', (data) => {
      if (!losing) return client.write(data)
      lost++
      return client.destroy()
    })
  }
  const listen = async (port: number): Promise<Server> => {
    const proxy = createServer(pass)
    await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve))
    return proxy
  }
  let proxy = await listen(0)
  const address = proxy.address() as AddressInfo
  const end = async () => {
    proxy.close()
    for (const client of clients) client.destroy()
  }
  return {
    port: address.port,
    loseNextAnswer: (text = '') => {
      losingAnswerTo = text
    },
    loseNextRequest: (text = '') => {
      losingRequest = text
    },
    get lost() {
      return lost
    },
    pause: end,
    async resume() {
      proxy = await listen(address.port)
    },
    close: end,
  }
}
