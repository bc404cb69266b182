import { callBack, readSafely } from './application-calls.ts'

/**
 * A logger that takes the fields first and then the message. Examples are pino, Fastify's `request.log` and `console`.
 * The fields are ids, types, sizes and durations. No field contains a secret, a body or personal data.
 */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type LogLevel = keyof Logger

/** The default logger: warnings and errors on the console, one line each. */
const consoleLogger: Partial<Logger> = {
  warn: (fields, message) => console.warn(line(message, fields)),
  error: (fields, message) => console.error(line(message, fields)),
}

function line(message: string, fields: object): string {
  return `scalekit-scim: ${message} ${JSON.stringify(fields)}`
}

/**
 * Completes a partial logger. `false` logs nothing. `undefined` logs warnings and errors on the console. Ignores errors
 * that the logger throws, so that logging never changes the outcome of an event.
 */
export function completeLogger(logger: Partial<Logger> | false | undefined): Logger {
  const target = logger === false ? {} : (logger ?? consoleLogger)
  return {
    debug: writer(target, 'debug'),
    info: writer(target, 'info'),
    warn: writer(target, 'warn'),
    error: writer(target, 'error'),
  }
}

function writer(target: Partial<Logger>, level: LogLevel): Logger[LogLevel] {
  if (typeof target === 'object' && !(level in target)) return unread
  return (fields, message) => callBack(() => target[level]?.(fields, message))
}

/** Ignores the lines of a level that the logger does not have. */
function unread(): void {}

/** Whether the logger ignores the lines of a level. A caller can then omit their fields. */
export function isUnread(log: Logger, level: LogLevel): boolean {
  return log[level] === unread
}

/**
 * Returns the parts of an application's error that are safe to log. The error's message and other fields can contain
 * personal data. Never throws, even if a getter of the thrown value throws.
 */
export function errorFields(error: unknown): ErrorFields {
  const fields = readSafely(() => (error instanceof Error ? describe(error) : { errorName: typeof error }))
  return fields ?? { errorName: 'unreadable' }
}

export interface ErrorFields {
  errorName: string
  errorCode?: string
  errorAt?: string
}

/** Returns the message of a thrown value. If the value is text, returns the text. Never throws. */
export function messageOf(error: unknown): string | undefined {
  const message: unknown = readSafely(() => (error instanceof Error ? error.message : error))
  return typeof message === 'string' ? message : undefined
}

function describe(error: Error): ErrorFields {
  // TypeScript declares these fields as strings, but code can assign any value to them.
  const { name, code, message, stack }: { [field in keyof Error | 'code']?: unknown } = error
  const frames = typeof stack === 'string' ? framesOf(stack, message) : []
  return {
    errorName: typeof name === 'string' && isWord(name) ? name : 'Error',
    // If an error does not have a code, some libraries set `code` to the error's name.
    ...(typeof code === 'string' && isWord(code) && code !== 'Error' ? { errorCode: code } : {}),
    ...(frames.length > 0 ? { errorAt: frames.join(' < ') } : {}),
  }
}

/**
 * The maximum length of a frame. Longer lines of a stack are skipped, because the regular expression's running time
 * grows with the square of the line length.
 */
const longestFrame = 500

/**
 * Returns the innermost frames. In a stack, the message comes before the frames. Lines of the message can look like
 * frames.
 */
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

/** Whether the text is a name or a code, not a sentence. */
function isWord(text: string): boolean {
  return /^\w{1,64}$/.test(text)
}
