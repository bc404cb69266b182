import { type AddressInfo, connect, createServer } from 'node:net'
import { onTestFinished } from 'vitest'

/** PostgreSQL's message Terminate. */
const goodbye = Buffer.from('X\0\0\0\x04', 'latin1')

/**
 * A proxy that can lose the next answer together with its connection. It can also lead new connections to another
 * server, like an address that moves in a failover. Existing connections stay. With `answerToGoodbye`, the proxy
 * answers PostgreSQL's Terminate with these bytes. A server that shuts down before it has read the message does the
 * same.
 */
export async function cutProxy(
  port: number,
  { answerToGoodbye }: { answerToGoodbye?: Buffer } = {},
): Promise<{ port: number; loseNextAnswer(): void; leadTo(port: number): void }> {
  let losing = false
  let leadsTo = port
  const server = createServer((client) => {
    const upstream = connect(leadsTo, '127.0.0.1')
    client.on('data', (bytes) => {
      if (answerToGoodbye && bytes.equals(goodbye)) client.write(answerToGoodbye)
      else upstream.write(bytes)
    })
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
    leadTo: (port) => {
      leadsTo = port
    },
  }
}
