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
      const returned: unknown = target[level]?.(fields, message)
      if (returned instanceof Promise) returned.catch(() => {})
    } catch {}
  }
  return Object.fromEntries(levels.map((level) => [level, write(level)])) as unknown as Logger
}

/** What of an application's error is safe to log: its message and fields may hold personal data. */
export function errorFields(error: unknown): { errorName: string; errorCode?: string; errorAt?: string } {
  if (!(error instanceof Error)) return { errorName: typeof error }
  const code = (error as { code?: unknown }).code
  const afterMessage = error.stack?.slice(error.stack.indexOf(error.message) + error.message.length)
  const frames = afterMessage?.split('\n').filter((frame) => /^\s+at /.test(frame))
  return {
    errorName: error.name,
    ...(typeof code === 'string' && /^\w{1,64}$/.test(code) ? { errorCode: code } : {}),
    ...(frames?.[0]
      ? {
          errorAt: frames
            .slice(0, 4)
            .map((frame) => frame.trim())
            .join(' < '),
        }
      : {}),
  }
}
