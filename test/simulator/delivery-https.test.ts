import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createReceiver } from '@scalekit-scim/core'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { certificate, privateKey } from '../support/certificate.ts'
import { attemptsOf, openDeliveries, outcomes, userCreated } from './delivery-scene.ts'

it('the simulator delivers over https if the certificate is trusted', async () => {
  const { deliveries } = openDeliveries({ certificateAuthority: certificate })
  deliveries.addEndpoint({ url: await startHttps(), secret: TEST_SECRET })
  const message = deliveries.send(userCreated)
  await deliveries.idle()
  expect(outcomes(attemptsOf(message))).toEqual(['processed'])
})

it('the simulator sends nothing if the certificate is not trusted, and logs the error', async () => {
  const { deliveries } = openDeliveries()
  deliveries.addEndpoint({ url: await startHttps(), secret: TEST_SECRET })
  const message = deliveries.send(userCreated)
  await deliveries.idle()
  expect(outcomes(attemptsOf(message))).toEqual([expect.stringMatching(/^self-signed certificate/)])
})

async function startHttps(): Promise<string> {
  const receiver = createReceiver({ secret: TEST_SECRET, logger: false, onUserCreated: () => {} })
  const server = createServer({ cert: certificate, key: privateKey }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url = '', headers: sent } = request
    const { status, headers, body } = await receiver.receive({
      method,
      url,
      headers: sent,
      body: Buffer.concat(chunks),
    })
    response.writeHead(status, headers).end(body)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await receiver.close()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/scalekit`
}
