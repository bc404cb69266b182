// A process that competes with others for messages on one SQLite file. Its arguments are the file, a namespace, and the
// numbers of messages and resources. It prints the numbers of the messages that it won. Each won message adds 1 to its
// resource's counter: it reads, pauses and writes. If two turns overlapped, a count would be lost.
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import Keyv from 'keyv'
import { createDispatcher } from '../../packages/core/src/index.ts'
import { NodeSqliteAdapter } from './node-sqlite-adapter.ts'

const [file = '', namespace = '', messages = '0', resources = '1'] = process.argv.slice(2)
const counters = new DatabaseSync(file, { timeout: 5000 })
const dispatcher = createDispatcher({
  store: new Keyv({ store: new NodeSqliteAdapter({ uri: `sqlite://${file}` }) }),
  namespace,
  storeTimeoutSeconds: 6,
  logger: { error: console.error },
  onEvent: () => {},
})
const { ledger } = dispatcher

const won: number[] = []

async function settle(index: number): Promise<void> {
  const resource = `user-${index % Number(resources)}`
  const token = `${process.pid}.${index}`
  for (;;) {
    const answer = await ledger.begin({ token, messageId: `msg-${index}`, resource, leaseSeconds: 60 })
    if (answer.state === 'begun') {
      const { fence, occurredAt } = answer
      await count(resource)
      await ledger.commit(
        { token, messageId: `msg-${index}`, resource, fence, occurredAt, deletion: false },
        { retentionSeconds: 60, watermarkRetentionSeconds: 60 },
      )
      won.push(index)
      return
    }
    if (answer.state === 'duplicate') return
    await sleep(Math.random() * 20)
  }
}

async function count(resource: string): Promise<void> {
  const before = counters.prepare('SELECT n FROM counters WHERE resource = ?').get(resource)
  await sleep(1)
  counters.prepare('UPDATE counters SET n = ? WHERE resource = ?').run(Number(before?.n) + 1, resource)
}

// The timers of a receiver do not prevent the exit of the process.
const alive = setInterval(() => {}, 1000)
await Promise.all(Array.from({ length: Number(messages) }, (_, index) => settle(index)))
await dispatcher.close()
clearInterval(alive)
console.log(JSON.stringify(won))
