import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'

export type LoggerOptions = Exclude<FastifyServerOptions['logger'], boolean | undefined>

/**
 * Nothing personal goes into the log: of a request its route alone, never the query or an address; of an error no
 * message, for PostgreSQL's may quote what was to be written. Give whole errors to your error tracker.
 */
export const withoutPersonalData: NonNullable<LoggerOptions['serializers']> = {
  req: ({ method, routeOptions }) => ({ method, route: routeOptions.url }),
  err: (error) => ({ type: error.name, code: codeOf(error), message: '', stack: frames(error.stack ?? '') }),
}

/** The ledger's errors have the server's as their cause, and its code is what tells what to do. */
function codeOf({ code, cause }: { code?: unknown; cause?: unknown }): string | undefined {
  if (typeof code === 'string') return code
  return cause instanceof Error ? codeOf(cause) : undefined
}

/** A stack begins with the message, which may have lines of its own. */
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
