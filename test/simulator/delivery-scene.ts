import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sampleEvent, TEST_SECRET } from '@scalekit-scim/core/testing'
import type { Attempt } from '@scalekit-scim/simulator'
import { onTestFinished } from 'vitest'
import { SimulatorClock } from '../../packages/simulator/src/clock.ts'
import { Deliveries, type DeliveriesOptions } from '../../packages/simulator/src/delivery/deliveries.ts'
import { createRandomness } from '../../packages/simulator/src/randomness.ts'

export const userCreated = sampleEvent('organization.directory.user_created')
export const groupCreated = sampleEvent('organization.directory.group_created')

/** An event of a separate user, because the receiver orders the events of one user. */
export function userNumber(number: number) {
  return sampleEvent('organization.directory.user_created', { data: { id: `diruser_${number}` } })
}

/** Creates deliveries on a stopped clock, by default at the current time. */
export function openDeliveries({
  seed = 1,
  from = new Date(),
  ...options
}: Partial<DeliveriesOptions> & { seed?: number; from?: Date } = {}) {
  const clock = new SimulatorClock({ speed: 0, from })
  const deliveries = new Deliveries({
    clock,
    randomness: createRandomness(seed),
    retryJitterShare: 0,
    ...options,
  })
  clock.settled = () => deliveries.idle()
  onTestFinished(() => deliveries.close())
  return { clock, deliveries }
}

export interface Received {
  headers: IncomingHttpHeaders
  url: string
  body: string
  /** The connection was cut before the end of the body. */
  isCut: boolean
}

type Answer = (response: ServerResponse, index: number) => unknown

/** A server that records its requests and answers with `answer`. */
export async function startEndpoint(answer: Answer = (response) => response.writeHead(201).end()) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const index = received.length
    const record: Received = { headers: request.headers, url: request.url ?? '', body: '', isCut: false }
    received.push(record)
    await readInto(record, request)
    if (!record.isCut) answer(response, index)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(close)
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/webhooks/scalekit`, secret: TEST_SECRET, received, server, close }
}

async function readInto(record: Received, request: IncomingMessage): Promise<void> {
  try {
    for await (const chunk of request) record.body += chunk
  } catch {
    record.isCut = true
  }
}

export const statuses = (attempts: readonly Attempt[]) => attempts.map(({ response }) => response?.status)

/** The outcomes that our receiver reports. */
export const outcomes = (attempts: readonly Attempt[]) =>
  attempts.map(({ response, error }) => response?.headers['scalekit-scim-outcome'] ?? error)

export function attemptsOf(message: ReturnType<Deliveries['send']>): readonly Attempt[] {
  return message.deliveries.flatMap(({ attempts }) => attempts)
}
