import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'

export type LoggerOptions = Exclude<FastifyServerOptions['logger'], boolean | undefined>

/**
 * Omits personal data from the log. The log contains the method and the route of a request, but not its query or
 * addresses. The log contains errors without their messages, because PostgreSQL's messages can quote written values.
 * Send whole errors to your error tracker.
 */
export const withoutPersonalData: NonNullable<LoggerOptions['serializers']> = {
  req: ({ method, routeOptions }) => ({ method, route: routeOptions.url }),
  err: (error) => ({ type: error.name, code: codeOf(error), message: '', stack: frames(error.stack ?? '') }),
}

/**
 * An error of the ledger has the database server's error as its cause. The code of the cause identifies the problem.
 */
function codeOf({ code, cause }: { code?: unknown; cause?: unknown }): string | undefined {
  if (typeof code === 'string') return code
  return cause instanceof Error ? codeOf(cause) : undefined
}

/** Removes the message from a stack. A stack begins with the message, which can have several lines. */
function frames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')
}

export function exitWith(log: FastifyBaseLogger, err: unknown, message: string): never {
  log.fatal({ err }, message)
  process.exit(1)
}
