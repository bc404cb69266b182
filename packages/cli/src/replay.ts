import { validateHeaderName, validateHeaderValue } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { signDelivery } from '@scalekit-scim/core/testing'
import { parseEndpoint, secretFrom } from './endpoint.ts'
import { newId, requireMessageId } from './event.ts'
import { exchangeOrFail, isDelivered, type Request } from './exchange.ts'
import { exitCodes, wrongUsage } from './failures.ts'
import { inputName, readInput } from './files.ts'
import { type Recorded, readRecording } from './recording.ts'
import { shownOutcome } from './send.ts'
import { printable, say, sayJson } from './terminal.ts'

export interface ReplayOptions {
  to: string
  secret?: string
  asIs?: boolean
  json?: boolean
}

/** The headers of the recorded connection. The command does not send these headers. */
const unsentHeaders = ['host', 'content-length', 'connection', 'transfer-encoding', 'keep-alive', 'expect']

/** The command `replay`, which sends the deliveries in the order of the file, one at a time. */
export async function replay(path: string, options: ReplayOptions): Promise<void> {
  const url = parseEndpoint(options.to)
  const outgoingOf = options.asIs ? asRecorded : signedWith(secretFrom(options.secret))
  const recording = readRecording(await readInput(path), path)
  if (recording.length === 0) throw wrongUsage(`${inputName(path)} is empty, so nothing is sent.`)
  // Checks all items before the first delivery.
  const outgoing = recording.map(outgoingOf)

  const deliveries = []
  for (const { messageId, requestNow } of outgoing) {
    // During one turn of the event loop, Node detects a closed connection. The next delivery then uses a new
    // connection.
    await setImmediate()
    const outcome = await exchangeOrFail(url, requestNow(), { keepAlive: true })
    deliveries.push({ messageId, delivered: isDelivered(outcome), ...outcome })
    if (!options.json) say(`${printable(messageId)}  ${shownOutcome(outcome)}`)
  }

  const sent = deliveries.length
  const delivered = deliveries.filter((delivery) => delivery.delivered).length
  if (options.json) sayJson({ sent, delivered, deliveries })
  else say(`\n${delivered} of ${sent} delivered.`)
  if (delivered < sent) process.exitCode = exitCodes.refused
}

interface Outgoing {
  messageId: string
  /**
   * Returns the request, with a new signature. An earlier signature can expire while the command sends a long
   * recording.
   */
  requestNow(): Request
}

function signedWith(secret: string): (recorded: Recorded) => Outgoing {
  return ({ where, body, messageId = newId('msg') }) => {
    requireMessageId(messageId, `${where}: the message id`)
    return { messageId, requestNow: () => signDelivery(body, { secret, messageId }) }
  }
}

function asRecorded({ where, body, headers, messageId = 'without an id' }: Recorded): Outgoing {
  if (!headers) {
    throw wrongUsage(`${where} is an event without recorded headers. To sign the event, omit --as-is.`)
  }
  const kept = Object.entries(headers).filter(([name]) => !unsentHeaders.includes(name))
  for (const [name, value] of kept) requireSendable(name, value, where)
  const request = { method: 'POST', headers: Object.fromEntries(kept), body: Buffer.from(body) }
  return { messageId, requestNow: () => request }
}

function requireSendable(name: string, value: string, where: string): void {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch {
    throw wrongUsage(
      `${where}: HTTP cannot transport the header ${JSON.stringify(name)}. Remove the header from the recording.`,
    )
  }
}
