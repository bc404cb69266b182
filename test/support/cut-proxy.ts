import { type AddressInfo, connect, createServer } from 'node:net'
import { onTestFinished } from 'vitest'

/** A way to a server that can be told to lose the next answer, and the connection with it. */
export async function cutProxy(port: number): Promise<{ port: number; loseNextAnswer(): void }> {
  let losing = false
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => {
      if (!losing) return void client.write(bytes)
      losing = false
      client.destroy()
    })
    client.on('close', () => upstream.end())
    upstream.on('close', () => client.end())
    client.on('error', () => {})
    upstream.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return {
    port: (server.address() as AddressInfo).port,
    loseNextAnswer: () => {
      losing = true
    },
  }
}
