import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'

export interface LossyProxy {
  port: number
  /** The next answer is lost, and the connection with it, though the server has done what it was asked. */
  loseNextAnswer(): void
  /** How many answers were lost. */
  readonly lost: number
  close(): Promise<void>
}

/** Passes bytes on to a server on `port`. */
export async function lossyProxy(port: number): Promise<LossyProxy> {
  let losing = false
  let lost = 0
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    client.on('error', () => {}).on('close', () => server.destroy())
    server.on('error', () => {}).on('close', () => client.destroy())
    client.pipe(server)
    server.on('data', (data) => {
      if (!losing) return client.write(data)
      losing = false
      lost++
      return client.destroy()
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return {
    port: (proxy.address() as AddressInfo).port,
    loseNextAnswer: () => {
      losing = true
    },
    get lost() {
      return lost
    },
    close: async () => void proxy.close(),
  }
}
