import type { FastifyInstance } from 'fastify'

/** The longest time that incomplete requests and replies can delay the shutdown. */
const lingerMs = 1000

/**
 * Refuses new requests, and waits for running handlers and their replies. The receiver gives handlers ten seconds. Then
 * closes all other connections, such as unused connections of load balancers.
 */
export async function closeServer(app: FastifyInstance): Promise<void> {
  const closed = app.close()
  await app.scalekitScim.close()
  const cut = setTimeout(() => app.server.closeAllConnections(), lingerMs)
  await closed
  clearTimeout(cut)
}
