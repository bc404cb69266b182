// Run in a process of its own, with the address of a Redis: calls `begin` while the connection is reset. Prints the
// messages that the ledger has begun although Redis holds no claim for them, as JSON.
//
// This shows a fault of node-redis 5.12.1, the client of `@keyv/redis` 5.1.6, which the histories have revealed:
//
//   a, b, c, d sent      reset read        a, b, c, d written to the dead socket, and still "waiting for a reply"
//   ├────────────────────┼─────────────────┼──▶ connected again: handshake, p, q, r, s, …
//
// The first replies on the new connection go to a, b, c and d. So `c` and `d` get the answers to `p` and `q`. All later
// replies are also shifted, until the connection is lost again. It happens if one turn of the event loop first sends a
// command and then reads the reset. In a busy process, this happens often.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import KeyvRedis from '@keyv/redis'
import { createDispatcher } from '@scalekit-scim/core'
import Keyv from 'keyv'

const url = process.argv[2] ?? ''

/** A proxy in a thread of its own, so that it resets the connection while the main thread is busy. */
const proxyProgram = `
const { connect, createServer } = require('node:net')
const { parentPort, workerData } = require('node:worker_threads')
let newest
const server = createServer((client) => {
  newest = client
  const upstream = connect(workerData)
  client.pipe(upstream).pipe(client)
  for (const socket of [client, upstream]) socket.on('error', () => {})
})
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
parentPort.on('message', () => setTimeout(() => newest.resetAndDestroy(), 50))
`
const busyMs = 300

const proxy = new Worker(proxyProgram, { eval: true, workerData: Number(new URL(url).port) })
const [port]: number[] = await once(proxy, 'message')
const adapter = new KeyvRedis(`redis://127.0.0.1:${port}`)
const namespace = `reset-${port}`
const { ledger } = createDispatcher({
  store: new Keyv({ store: adapter }),
  namespace,
  logger: false,
  onEvent: () => {},
})
const begun: string[] = []

async function begin(messageId: string): Promise<void> {
  const answer = await ledger.begin({ token: messageId, messageId, leaseSeconds: 60 })
  if (answer.state === 'begun') begun.push(messageId)
}

function beginAll(...messageIds: string[]): void {
  for (const messageId of messageIds) begin(messageId).catch(() => {})
}

await begin('first')
await begin('second')
adapter.once('error', () => setImmediate(() => beginAll('p', 'q', 'r', 's', 't', 'u', 'v', 'w')))
proxy.postMessage('reset')
setTimeout(() => {
  const untilMs = performance.now() + busyMs
  while (performance.now() < untilMs);
  beginAll('a', 'b', 'c', 'd')
}, 1)
await sleep(busyMs + 1000)

const direct = new KeyvRedis(url, { namespace: `{scim:${namespace}}:m`, keyPrefixSeparator: ':' })
const claims = await direct.getMany(begun)
console.log(JSON.stringify({ begun, unclaimed: begun.filter((_, index) => claims[index] === undefined) }))
process.exit()
