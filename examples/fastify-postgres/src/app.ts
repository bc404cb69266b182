import { type ScalekitScimOptions, scalekitScim } from '@scalekit-scim/fastify'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import type { Pool } from 'pg'
import { addAccountRoutes } from './account-routes.ts'
import { Accounts } from './accounts.ts'
import { directoryHandlers } from './directory-handlers.ts'
import { Groups } from './groups.ts'
import { addHealthRoutes, isProbe } from './health.ts'
import { type LoggerOptions, withoutPersonalData } from './log.ts'
import { remembered, tryDatabase, tryLedger } from './readiness.ts'

export interface RouteOptions
  extends Pick<ScalekitScimOptions, 'secret' | 'store' | 'namespace' | 'requireGuarantee'> {
  pool: Pool
  /** Whether the process is stopping. While the process is stopping, `/ready` answers 503. */
  isStopping?: () => boolean
}

/**
 * The time limit for the arrival of a request. The server disconnects a client that takes longer, so the
 * client cannot delay the shutdown.
 */
const requestTimeoutMs = 15_000

export function createApp(logger: LoggerOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    logger: { ...logger, serializers: withoutPersonalData },
    logController: new LogController({ disableRequestLogging: isProbe }),
    requestTimeout: requestTimeoutMs,
  })
  // Fastify's own error handler would log and send error messages, which can contain personal data.
  app.setErrorHandler((error: { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) request.log.error({ err: error }, 'a request failed')
    return reply.code(status).send({ error: status >= 500 ? 'Internal Server Error' : 'Bad Request' })
  })
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'Not Found' }))
  return app
}

/** Adds all routes. The app does not close the pool and the store, because they belong to the caller. */
export async function addRoutes(
  app: FastifyInstance,
  { pool, isStopping = () => false, ...receiving }: RouteOptions,
): Promise<void> {
  // During the shutdown, a client with an open connection must send its next request to another instance.
  app.addHook('onSend', async (_request, reply) => {
    if (isStopping()) reply.header('connection', 'close')
  })

  const accounts = new Accounts(pool)
  await app.register(scalekitScim, { ...directoryHandlers(accounts, new Groups(pool)), ...receiving })
  addAccountRoutes(app, accounts)
  addHealthRoutes(app, {
    isStopping,
    parts: {
      database: remembered(() => tryDatabase(pool)),
      ledger: remembered(() => tryLedger(app.scalekitScim.ledger)),
    },
  })
}
