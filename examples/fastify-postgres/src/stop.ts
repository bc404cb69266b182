import type { FastifyInstance } from 'fastify'

/** How long a reply that is on its way, or a request that is still being sent, may hold up the end. */
const lingerMs = 1000

/**
 * Takes nothing new, lets the handlers that run finish (the receiver gives them ten seconds) and their replies go out.
 * Connections that nothing came on, as balancers open them beforehand, are cut.
 */
export async function closeServer(app: FastifyInstance): Promise<void> {
  const closed = app.close()
  await app.scalekitScim.close()
  const cut = setTimeout(() => app.server.closeAllConnections(), lingerMs)
  await closed
  clearTimeout(cut)
}
