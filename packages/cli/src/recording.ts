import { wrongUsage } from './failures.ts'
import { isJsonObject, type JsonObject, jsonText } from './files.ts'

/** One delivery or event that was recorded. */
export interface Recorded {
  /** Which item or line it is, for what may be wrong with it. */
  where: string
  body: string
  messageId?: string
  /** All that were recorded; none of an event. */
  headers?: Readonly<Record<string, string>>
}

/** Items of a JSON document, or of one on each line. @throws Failure, which names the item */
export function readRecording(text: string, path: string): Recorded[] {
  const name = path === '-' ? 'standard input' : path
  const whole = parsed(text)
  if (whole !== undefined) {
    return [whole].flat().map((item, index) => recordedFrom(item, `Item ${index + 1} of ${name}`))
  }
  const lines = text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [{ line, number: index + 1 }]))
  return lines.map(({ line, number }) => {
    const item = parsed(line)
    const where = `Line ${number} of ${name}`
    if (item === undefined)
      throw wrongUsage(`${where} is no JSON. A recording is JSON, or JSON on each line.`)
    return recordedFrom(item, where)
  })
}

function recordedFrom(item: unknown, where: string): Recorded {
  if (isJsonObject(item)) {
    const delivery = isJsonObject(item.request) ? item.request : item
    if (isJsonObject(delivery.headers) && delivery.body !== undefined) {
      return deliveryFrom(delivery.body, headersFrom(delivery.headers, where), where)
    }
    if (isJsonObject(item.event)) {
      return { where, body: jsonText(item.event, where), ...idFrom(item.id, where) }
    }
    if (typeof item.type === 'string') return { where, body: jsonText(item, where) }
  }
  throw wrongUsage(
    `${where} is neither an event nor a delivery: it has no "type", no "event", and not both "headers" and "body".`,
  )
}

function deliveryFrom(body: unknown, headers: Readonly<Record<string, string>>, where: string): Recorded {
  return {
    where,
    // A body that is no text has been parsed by whoever recorded it, and what was signed is gone.
    body: typeof body === 'string' ? body : jsonText(body, where),
    headers,
    ...idFrom(headers['webhook-id'], where),
  }
}

function headersFrom(recorded: JsonObject, where: string): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(recorded))
    headers[name.toLowerCase()] = fieldText(name, value, where)
  return headers
}

/** Some recorders write a field as the list of its values, and a time as a number. */
function fieldText(name: string, value: unknown, where: string): string {
  const values = [value].flat()
  if (values.length > 0 && values.every((one) => typeof one === 'string' || typeof one === 'number')) {
    return values.join(', ')
  }
  throw wrongUsage(`${where}: its header ${JSON.stringify(name)} is no text.`)
}

function idFrom(value: unknown, where: string): { messageId?: string } {
  if (value === undefined || value === null) return {}
  if (typeof value === 'string') return { messageId: value }
  throw wrongUsage(`${where}: its "id" is no text. Give the message id, such as "msg_1", or leave it out.`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
