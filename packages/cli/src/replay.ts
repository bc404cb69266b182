import { Agent as HttpAgent, validateHeaderName, validateHeaderValue } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { setImmediate } from 'node:timers/promises'
import { signDelivery } from '@scalekit-scim/core/testing'
import { parseEndpoint, secretFrom } from './endpoint.ts'
import { type Exchange, exchangeOrFail, isDelivered, type Request } from './exchange.ts'
import { exitCodes, wrongUsage } from './failures.ts'
import { inputName, readInput } from './files.ts'
import { type Recorded, readRecording } from './recording.ts'
import { isMessageId, messageIdForm, newId } from './sample.ts'
import { summaryOf } from './send.ts'
import { printable, say, sayJson, styled } from './terminal.ts'

export interface ReplayOptions {
  to: string
  secret?: string
  asIs?: boolean
  json?: boolean
}

/** Headers that belong to the connection on which they came. */
const connectionHeaders = [
  'host',
  'content-length',
  'connection',
  'transfer-encoding',
  'keep-alive',
  'expect',
]

/** `replay`: one after the other, in their order. Gives the exit code. */
export async function replay(path: string, options: ReplayOptions): Promise<number> {
  const url = parseEndpoint(options.to)
  const toOutgoing = options.asIs ? asRecorded : signedWith(secretFrom(options.secret))
  const recording = readRecording(await readInput(path), path)
  if (recording.length === 0) throw wrongUsage(`${inputName(path)} is empty: there is nothing to send.`)
  // All of them before the first is sent: a recording is not half sent for the sake of its last line.
  const deliveries = recording.map(toOutgoing)

  const results: { messageId: string; delivered: boolean; exchange: Exchange }[] = []
  for await (const { messageId, exchange } of sent(deliveries, url)) {
    const delivered = isDelivered(exchange)
    results.push({ messageId, delivered, exchange })
    if (!options.json)
      say(`${printable(messageId)}  ${styled(delivered ? 'green' : 'red', summaryOf(exchange))}`)
  }

  const delivered = results.filter((result) => result.delivered).length
  if (options.json) {
    sayJson({
      sent: results.length,
      delivered,
      deliveries: results.map(({ exchange, ...result }) => ({ ...result, ...exchange })),
    })
  } else {
    say(`\n${delivered} of ${results.length} delivered.`)
  }
  return delivered === results.length ? exitCodes.good : exitCodes.refused
}

interface Outgoing {
  messageId: string
  /** Signed when it is sent: a long recording takes longer than a signature is good for. */
  request(): Request
}

/** One after the other, on one connection where the server keeps it. */
async function* sent(deliveries: readonly Outgoing[], url: URL) {
  const agent = new (url.protocol === 'https:' ? HttpsAgent : HttpAgent)({ keepAlive: true })
  try {
    for (const { messageId, request } of deliveries) {
      // In a turn of the event loop it is heard that the server has hung up since: then the next one is on a new one.
      await setImmediate()
      yield { messageId, exchange: await exchangeOrFail(url, request(), agent) }
    }
  } finally {
    agent.destroy()
  }
}

function signedWith(secret: string): (recorded: Recorded) => Outgoing {
  return ({ where, body, messageId = newId('msg') }) => {
    if (!isMessageId(messageId)) throw wrongUsage(`${where}: its message id must be ${messageIdForm}.`)
    return { messageId, request: () => signDelivery(body, { secret, messageId }) }
  }
}

function asRecorded({ where, body, headers, messageId }: Recorded): Outgoing {
  if (!headers) {
    throw wrongUsage(
      `${where} is an event and has no recorded headers. Leave --as-is out, and it is signed anew.`,
    )
  }
  const kept = Object.entries(headers).filter(([name]) => !connectionHeaders.includes(name))
  for (const [name, value] of kept) requireSendable(name, value, where)
  const request = { method: 'POST', headers: Object.fromEntries(kept), body: Buffer.from(body) }
  return { messageId: messageId ?? 'without an id', request: () => request }
}

function requireSendable(name: string, value: string, where: string): void {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch {
    throw wrongUsage(
      `${where}: HTTP cannot carry its header ${JSON.stringify(name)}. Take it out of the recording.`,
    )
  }
}
