import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'

export type LoggerOptions = Exclude<FastifyServerOptions['logger'], boolean | undefined>

/**
 * Nothing personal goes into the log: of a request its route alone, never the query or an address; of an error no
 * message, for PostgreSQL's may quote what was to be written. Give whole errors to your error tracker.
 */
export const withoutPersonalData: NonNullable<LoggerOptions['serializers']> = {
  req: ({ method, routeOptions }) => ({ method, route: routeOptions.url }),
  err: ({ name, code, stack = '' }) => ({ type: name, code, message: '', stack: frames(stack) }),
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
