import type { FastifyInstance, FastifyRequest } from 'fastify'
import { within } from './within.ts'

export interface HealthOptions {
  /** One check for each dependency of the server, by the dependency's name. */
  parts: Readonly<Record<string, () => Promise<unknown>>>
  isStopping: () => boolean
}

/**
 * Whether a request is for `/health` or `/ready`. These requests arrive every few seconds, so the server does not log
 * them.
 */
export function isProbe({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url === '/health' || routeOptions.url === '/ready'
}

/** The time limit for the answer of a dependency. */
const patienceMs = 1000

/**
 * `/health` shows that the process is running. If `/health` does not answer, start another process. `/ready` shows that
 * the process can serve requests. Only `/ready` checks the dependencies, because a restart does not fix a missing
 * database.
 */
export function addHealthRoutes(app: FastifyInstance, { parts, isStopping }: HealthOptions): void {
  app.get('/health', () => ({ status: 'alive' }))

  app.get('/ready', async (request, reply) => {
    if (isStopping()) return reply.code(503).send({ status: 'stopping' })
    const names = Object.keys(parts)
    const answers = await Promise.allSettled(Object.values(parts).map((ask) => within(patienceMs, ask())))
    const errors = names.flatMap((part, index) => {
      const answer = answers[index]
      return answer?.status === 'rejected' ? [{ part, err: answer.reason }] : []
    })
    if (errors.length === 0) return { status: 'ready' }
    for (const { part, err } of errors) request.log.warn({ part, err }, 'not ready')
    const failing = errors.map(({ part }) => part)
    return reply.code(503).send({ status: 'unavailable', failing })
  })
}
