import { wrongUsage } from './failures.ts'
import { isJsonObject, type JsonObject, jsonText, parseJson } from './files.ts'

/** A recorded delivery or event. */
export interface Recorded {
  /** The name of the item or line, for error messages. */
  where: string
  body: string
  messageId?: string | undefined
  /** Absent for a recorded event. */
  headers?: Readonly<Record<string, string>>
}

/** Reads the items of a JSON document, or one item from each line. @throws Failure that names the item */
export function readRecording(text: string, path: string): Recorded[] {
  const name = path === '-' ? 'standard input' : path
  const whole = parseJson(text)
  if (whole !== undefined) {
    return [whole].flat().map((item, index) => recordedFrom(item, `Item ${index + 1} of ${name}`))
  }
  return text.split('\n').flatMap((line, index) => {
    return line.trim() === '' ? [] : [recordedFrom(parseJson(line), `Line ${index + 1} of ${name}`)]
  })
}

function recordedFrom(item: unknown, where: string): Recorded {
  if (item === undefined) throw wrongUsage(`${where} is not JSON. A recording is JSON or JSON lines.`)
  if (isJsonObject(item)) {
    const delivery = isJsonObject(item.request) ? item.request : item
    if (isJsonObject(delivery.headers) && delivery.body !== undefined) {
      const headers = headersFrom(delivery.headers, where)
      // If the recorder parsed the body, the original bytes are lost. So the command serializes the body again.
      const body = typeof delivery.body === 'string' ? delivery.body : jsonText(delivery.body, where)
      return { where, body, headers, messageId: headers['webhook-id'] }
    }
    if (isJsonObject(item.event)) {
      return { where, body: jsonText(item.event, where), messageId: idFrom(item.id, where) }
    }
    if (typeof item.type === 'string') return { where, body: jsonText(item, where) }
  }
  throw wrongUsage(`${where} is not an event or a delivery. Give "type", "event", or "headers" with "body".`)
}

function headersFrom(recorded: JsonObject, where: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recorded).map(([name, value]) => [name.toLowerCase(), headerText(name, value, where)]),
  )
}

/** Returns the header as text. Some recorders write a header as a list of values, or a time as a number. */
function headerText(name: string, value: unknown, where: string): string {
  const values = [value].flat()
  if (values.length > 0 && values.every((one) => typeof one === 'string' || typeof one === 'number')) {
    return values.join(', ')
  }
  throw wrongUsage(`${where}: the header ${JSON.stringify(name)} is not text.`)
}

function idFrom(value: unknown, where: string): string | undefined {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return undefined
  throw wrongUsage(`${where}: "id" is not text. Give the message id, such as "msg_1", or omit "id".`)
}
