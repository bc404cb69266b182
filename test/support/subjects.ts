import type { Server } from 'node:net'
import type { Receiver, ReceiverOptions } from '@scalekit-scim/core'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim as expressMiddleware } from '@scalekit-scim/express'
import { scalekitScim as fastifyPlugin } from '@scalekit-scim/fastify'
import express5 from 'express'
import express4 from 'express4'
import fastify from 'fastify'
import { onTestFinished } from 'vitest'

/** A real server on its own port, with the middleware. */
export interface RunningServer {
  origin: string
  port: number
  /** The URL of the endpoint. */
  url: string
  receiver: Receiver
  close(): Promise<void>
}

/** One framework in which the contract runs. */
export interface Subject {
  name: string
  start(options?: ReceiverOptions & { consumeBody?: boolean }): Promise<RunningServer>
}

const quiet = { secret: TEST_SECRET, logger: false } as const

export const subjects: Subject[] = [
  { name: 'Express 4', start: (options) => startExpress(express4, options) },
  { name: 'Express 5', start: (options) => startExpress(express5, options) },
  { name: 'Fastify 5', start: startFastify },
]

async function startExpress(
  express: typeof express5,
  { consumeBody, ...options }: ReceiverOptions & { consumeBody?: boolean } = {},
): Promise<RunningServer> {
  const app = express()
  if (consumeBody) app.use(express.json())
  const middleware = expressMiddleware({ ...quiet, ...options })
  app.use(middleware)
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return running(portOf(server), middleware.receiver, async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
}

async function startFastify({
  consumeBody,
  ...options
}: ReceiverOptions & { consumeBody?: boolean } = {}): Promise<RunningServer> {
  const app = fastify({ forceCloseConnections: true })
  if (consumeBody) {
    app.addHook('onRequest', async (request) => {
      for await (const _chunk of request.raw.iterator({ destroyOnReturn: false })) {
      }
    })
  }
  await app.register(fastifyPlugin, { ...quiet, ...options })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return running(portOf(app.server), app.scalekitScim, () => app.close())
}

/** Returns the port on which a server listens. */
export function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  return address.port
}

function running(port: number, receiver: Receiver, stop: () => Promise<void>): RunningServer {
  const origin = `http://127.0.0.1:${port}`
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= stop().then(() => receiver.close({ graceSeconds: 0.2 }))
    return closed
  }
  onTestFinished(close)
  return { origin, port, url: `${origin}/webhooks/scalekit`, receiver, close }
}
