/**
 * Where the pack logs: fields first, then the message, as pino, Fastify's `request.log` and `console` take them.
 * What is logged are ids, types, sizes and durations; never a secret, a body or personal data.
 */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type LogLevel = keyof Logger

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Warnings and errors on the console, one line each, for those who bring no logger. */
const consoleLogger: Partial<Logger> = {
  warn: (fields, message) => console.warn(line(message, fields)),
  error: (fields, message) => console.error(line(message, fields)),
}

function line(message: string, fields: object): string {
  return `scalekit-scim: ${message} ${JSON.stringify(fields)}`
}

/**
 * A complete logger out of a partial one. `false` is silence, `undefined` the console's warnings and errors.
 * What a logger throws or rejects with is not heard of: a log line never decides what becomes of an event.
 */
export function completeLogger(logger: Partial<Logger> | false | undefined): Logger {
  const target = logger === false ? {} : (logger ?? consoleLogger)
  const write = (level: LogLevel) => (fields: object, message: string) => {
    try {
      unheard(target[level]?.(fields, message))
    } catch {}
  }
  return Object.fromEntries(levels.map((level) => [level, write(level)])) as unknown as Logger
}

/**
 * What of an application's error is safe to log: its message and fields may hold personal data. Handlers throw
 * anything, getters that throw included, and whatever it is, an attempt gets its answer.
 */
export function errorFields(error: unknown): ErrorFields {
  try {
    return error instanceof Error ? describe(error) : { errorName: typeof error }
  } catch {
    return { errorName: 'unreadable' }
  }
}

export interface ErrorFields {
  errorName: string
  errorCode?: string
  errorAt?: string
}

/** What was thrown says of itself: a handler may throw anything, getters that throw included. */
export function messageOf(error: unknown): string | undefined {
  try {
    const message: unknown = error instanceof Error ? error.message : error
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}

function describe(error: Error): ErrorFields {
  // They are declared as text, and assigned to by whoever likes to.
  const { name, code, message, stack }: { [field in keyof Error | 'code']?: unknown } = error
  const frames = typeof stack === 'string' ? framesOf(stack, message) : []
  return {
    errorName: typeof name === 'string' && isWord(name) ? name : 'Error',
    // An error's name is no code; some put it there where they know none.
    ...(typeof code === 'string' && isWord(code) && code !== 'Error' ? { errorCode: code } : {}),
    ...(frames.length > 0 ? { errorAt: frames.join(' < ') } : {}),
  }
}

/** A longer line is no frame. It may be anybody's, and the expression takes the square of its length. */
const longestFrame = 500

/** The nearest frames. What is above them is the message, which may have lines that look alike. */
function framesOf(stack: string, message: unknown): string[] {
  const end = typeof message === 'string' ? stack.indexOf(message) + message.length : 0
  return stack
    .slice(Math.max(end, 0))
    .split('\n')
    .filter(
      (line) =>
        line.length <= longestFrame &&
        /^ +at (?:[^@]+ \()?(?:file:|node:|[A-Za-z]:\\|\/).*:\d+:\d+\)?$/.test(line),
    )
    .slice(0, 4)
    .map((line) => line.trim())
}

/** A name or a code, and no sentence. */
function isWord(text: string): boolean {
  return /^\w{1,64}$/.test(text)
}

/** Keeps what an application's callback rejects with from ending the process. */
export function unheard(returned: unknown): void {
  if (typeof returned !== 'object' || returned === null || !('then' in returned)) return
  Promise.resolve(returned).catch(() => {})
}
