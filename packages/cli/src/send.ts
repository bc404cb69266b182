import { STATUS_CODES } from 'node:http'
import { signDelivery } from '@scalekit-scim/core/testing'
import { parseEndpoint, secretFrom, shownAddress } from './endpoint.ts'
import { eventNow, newId, requireMessageId, withField } from './event.ts'
import { type Exchange, exchangeOrFail, isDelivered, outcomeHeader } from './exchange.ts'
import { exitCodes, wrongUsage } from './failures.ts'
import { inputName, isJsonObject, type JsonObject, jsonText, parseJson, readInput } from './files.ts'
import { printable, say, sayJson, styled } from './terminal.ts'

export interface SendOptions {
  to: string
  secret?: string
  set?: readonly string[]
  data?: string
  id?: string
  at?: string
  json?: boolean
}

/** The command `send`, which sends one signed delivery. */
export async function send(type: string, options: SendOptions): Promise<void> {
  const url = parseEndpoint(options.to)
  const secret = secretFrom(options.secret)
  const event = await eventOf(type, options)
  const messageId = options.id ?? newId('msg')
  requireMessageId(messageId, '--id')
  const at = timeOf(options.at)
  const delivery = signDelivery(jsonText(event, 'The event'), { secret, messageId, at })

  const outcome = await exchangeOrFail(url, delivery)

  const delivered = isDelivered(outcome)
  if (options.json) {
    sayJson({ delivered, messageId, event, at: at.toISOString(), ...outcome })
  } else {
    say(`POST ${shownAddress(url)}`)
    say(styled('dim', printable(`${event.type} ${event.id} ${messageId}`)))
    say(shownOutcome(outcome))
    if (outcome.kind === 'answer' && outcome.body !== '') say(printable(outcome.body))
    if (!delivered) say('Scalekit counts only 200 and 201 as delivered, and sends this event again.')
  }
  if (!delivered) process.exitCode = exitCodes.refused
}

async function eventOf(type: string, { data, set = [] }: SendOptions): Promise<JsonObject> {
  const event = eventNow(type)
  if (data !== undefined) {
    const fields = await dataFrom(data)
    event.data = { ...(isJsonObject(event.data) ? event.data : {}), ...fields }
    if (typeof fields.organization_id === 'string') event.organization_id = fields.organization_id
  }
  return set.reduce(withField, event)
}

async function dataFrom(path: string): Promise<JsonObject> {
  const fields = parseJson(await readInput(path))
  const name = inputName(path)
  if (!isJsonObject(fields)) {
    throw wrongUsage(`${name} is not a JSON object. --data takes an object with fields of data.`)
  }
  if (typeof fields.type === 'string' && isJsonObject(fields.data)) {
    throw wrongUsage(
      `${name} is a whole event. --data takes only the event's data. To send events, use scalekit-scim replay.`,
    )
  }
  return fields
}

/** @throws Failure */
function timeOf(text: string | undefined): Date {
  if (text === undefined) return new Date()
  const at = /^[+-]\d+$/.test(text) ? new Date(Date.now() + Number(text) * 1000) : new Date(text)
  // `Date` reads `5` as the first of May, 2001.
  if (!/^([+-]|\d{4}-)/.test(text) || !(at.getTime() >= 1000)) {
    throw wrongUsage('--at takes a time such as 2026-11-23T09:00:00Z, or seconds from now such as -600.')
  }
  return at
}

/** Formats an outcome in colour: `201 Created in 12 ms, processed`. */
export function shownOutcome(outcome: Exchange): string {
  const colour = isDelivered(outcome) ? 'green' : 'red'
  if (outcome.kind === 'no-answer') return styled(colour, `No answer: ${outcome.detail}`)
  const header = outcomeHeader(outcome)
  const status = [outcome.status, STATUS_CODES[outcome.status]].filter(Boolean).join(' ')
  const suffix = header === undefined ? '' : `, ${printable(header)}`
  return styled(colour, `${status} in ${outcome.durationMs} ms${suffix}`)
}
