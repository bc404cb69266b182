import { STATUS_CODES } from 'node:http'
import { signDelivery } from '@scalekit-scim/core/testing'
import { shownAddress, type Target, targetOf } from './endpoint.ts'
import { type Exchange, exchangeOrFail, isDelivered, outcomeHeader } from './exchange.ts'
import { exitCodes, wrongUsage } from './failures.ts'
import { inputName, isJsonObject, type JsonObject, jsonText, readInput } from './files.ts'
import { eventNow, isMessageId, messageIdForm, newId } from './sample.ts'
import { setField } from './set-field.ts'
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

/** `send`: one signed delivery. Gives the exit code. */
export async function send(type: string, options: SendOptions): Promise<number> {
  const target = targetOf(options.to, options.secret)
  const event = await eventOf(type, options)
  const messageId = options.id ?? newId('msg')
  if (!isMessageId(messageId)) throw wrongUsage(`--id takes ${messageIdForm}.`)
  const at = timeOf(options.at)
  const delivery = signDelivery(jsonText(event, 'The event'), { secret: target.secret, messageId, at })

  const outcome = await exchangeOrFail(target.url, delivery)

  if (options.json)
    sayJson({ delivered: isDelivered(outcome), messageId, event, at: at.toISOString(), ...outcome })
  else show(target, { messageId, event }, outcome)
  return isDelivered(outcome) ? exitCodes.good : exitCodes.refused
}

async function eventOf(type: string, { data, set = [] }: SendOptions): Promise<JsonObject> {
  const event = eventNow(type)
  if (data !== undefined) {
    const fields = await dataFrom(data)
    event.data = { ...(isJsonObject(event.data) ? event.data : {}), ...fields }
    // What the envelope says of the organization goes with its data, unless it is set by itself.
    if (typeof fields.organization_id === 'string') event.organization_id = fields.organization_id
  }
  for (const assignment of set) setField(event, assignment)
  return event
}

async function dataFrom(path: string): Promise<JsonObject> {
  const text = await readInput(path)
  let fields: unknown
  try {
    fields = JSON.parse(text)
  } catch {
    throw wrongUsage(`${inputName(path)} is no JSON. --data takes one JSON object with fields of data.`)
  }
  if (!isJsonObject(fields))
    throw wrongUsage(`${inputName(path)} is no JSON object. --data takes the fields of data.`)
  if (typeof fields.type === 'string' && isJsonObject(fields.data)) {
    throw wrongUsage(
      `${inputName(path)} is a whole event. --data takes what is in its data; scalekit-scim replay sends events.`,
    )
  }
  return fields
}

/** @throws Failure */
function timeOf(text: string | undefined): Date {
  if (text === undefined) return new Date()
  const at = /^[+-]\d+$/.test(text) ? new Date(Date.now() + Number(text) * 1000) : new Date(text)
  // A date reads `5` as the first of May, 2001.
  if (!/^([+-]|\d{4}-)/.test(text) || !(at.getTime() >= 1000)) {
    throw wrongUsage('--at takes a time such as 2026-11-23T09:00:00Z, or seconds from now such as -600.')
  }
  return at
}

function show({ url }: Target, sent: { messageId: string; event: JsonObject }, outcome: Exchange): void {
  say(`POST ${shownAddress(url)}`)
  say(styled('dim', printable(`${sent.event.type} ${sent.event.id} ${sent.messageId}`)))
  say(isDelivered(outcome) ? styled('green', summaryOf(outcome)) : styled('red', summaryOf(outcome)))
  if (outcome.kind === 'answer' && outcome.body !== '') say(printable(outcome.body))
  if (!isDelivered(outcome)) {
    say('Scalekit counts only 200 and 201 as delivered, and would try this again.')
  }
}

/** `201 Created in 12 ms, processed` */
export function summaryOf(outcome: Exchange): string {
  if (outcome.kind === 'no-answer') return `No answer: ${outcome.detail}`
  const header = outcomeHeader(outcome)
  const reason = STATUS_CODES[outcome.status]
  return [
    `${outcome.status}${reason ? ` ${reason}` : ''} in ${outcome.durationMs} ms`,
    ...(header === undefined ? [] : [printable(header)]),
  ].join(', ')
}
