import { wrongUsage } from './failures.ts'
import { isJsonObject, type JsonObject } from './files.ts'

/** One delivery or event that was recorded. */
export interface Recorded {
  body: string
  messageId?: string
  /** All that were recorded; none of an event. */
  headers?: Readonly<Record<string, string>>
}

/** Items of a JSON document, or of one on each line. @throws Failure, which names the item */
export function readRecording(text: string, path: string): Recorded[] {
  const whole = parsed(text)
  if (whole !== undefined) {
    return [whole].flat().map((item, index) => recordedFrom(item, `Item ${index + 1} of ${path}`))
  }
  const lines = text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [{ line, number: index + 1 }]))
  return lines.map(({ line, number }) => {
    const item = parsed(line)
    const where = `Line ${number} of ${path}`
    if (item === undefined)
      throw wrongUsage(`${where} is no JSON. A recording is JSON, or JSON on each line.`)
    return recordedFrom(item, where)
  })
}

function recordedFrom(item: unknown, where: string): Recorded {
  if (isJsonObject(item)) {
    if (isJsonObject(item.request)) return recordedFrom(item.request, where)
    if (isJsonObject(item.headers) && item.body !== undefined) return deliveryFrom(item, item.headers)
    if (isJsonObject(item.event)) return { body: JSON.stringify(item.event), ...idFrom(item.id) }
    if (typeof item.type === 'string') return { body: JSON.stringify(item) }
  }
  throw wrongUsage(
    `${where} is neither an event nor a delivery: it has no "type", no "event", and not both "headers" and "body".`,
  )
}

function deliveryFrom({ body }: JsonObject, recorded: JsonObject): Recorded {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(recorded)) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value
  }
  return {
    // A body that is no text has been parsed by whoever recorded it, and what was signed is gone.
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers,
    ...idFrom(headers['webhook-id']),
  }
}

function idFrom(value: unknown): { messageId?: string } {
  return typeof value === 'string' && value !== '' ? { messageId: value } : {}
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
