import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { describe, expect, it } from 'vitest'
import * as verifiers from '../verification/verifiers.ts'
import { attemptsOf, openDeliveries, startEndpoint, userCreated } from './delivery-scene.ts'

const others = { sdk: verifiers.sdk, standardWebhooks: verifiers.standardWebhooks, svix: verifiers.svix }
const newSecret = `whsec_${Buffer.from('another key of thirty-two bytes!').toString('base64')}`

describe.each(Object.entries(others))('a delivery, to %s', (_name, verify) => {
  it('a delivery verifies with the endpoint’s secret', async () => {
    const { deliveries } = openDeliveries()
    const endpoint = await startEndpoint()
    deliveries.addEndpoint(endpoint)
    deliveries.send(userCreated)
    await deliveries.idle()
    const [received] = endpoint.received
    expect(JSON.parse(received?.body ?? '')).toEqual(userCreated)
    expect(verify(asDelivery(received), TEST_SECRET)).toBe('accepts')
    expect(verify(asDelivery(received), newSecret)).toBe('rejects')
  })

  it('a delivery verifies with either secret during a rotation, and later only with the new one', async () => {
    const { deliveries, clock } = openDeliveries({ from: new Date(Date.now() - 60_000) })
    const endpoint = await startEndpoint()
    const { id } = deliveries.addEndpoint(endpoint)
    const { secrets } = deliveries.rotateSecret(id, { secret: newSecret, keepOldSeconds: 60 })
    expect(secrets).toEqual([newSecret, TEST_SECRET])
    deliveries.send(userCreated)
    await clock.step(60_000)
    deliveries.send(userCreated)
    await deliveries.idle()
    const [during, after] = [asDelivery(endpoint.received[0]), asDelivery(endpoint.received[1])]
    expect(verify(during, TEST_SECRET)).toBe('accepts')
    expect(verify(during, newSecret)).toBe('accepts')
    expect(verify(after, TEST_SECRET)).toBe('rejects')
    expect(verify(after, newSecret)).toBe('accepts')
  })

  it('a forged attempt does not verify', async () => {
    const { deliveries } = openDeliveries()
    const endpoint = await startEndpoint()
    deliveries.addEndpoint(endpoint)
    const { id } = deliveries.send(userCreated)
    await deliveries.idle()
    await deliveries.forge(id)
    const [, forged] = endpoint.received
    expect(forged?.headers['webhook-id']).toBe(id)
    expect(verify(asDelivery(forged), TEST_SECRET)).toBe('rejects')
  })
})

it('the simulator signs each attempt again, with the simulator’s time and the message’s id', async () => {
  const { deliveries, clock } = openDeliveries({ from: new Date('2026-11-23T09:00:00Z') })
  const endpoint = await startEndpoint((response) => response.writeHead(500).end())
  deliveries.addEndpoint(endpoint)
  const { id } = deliveries.send(userCreated)
  await clock.step(5000)
  const headers = endpoint.received.map((one) => one.headers)
  expect(headers.map((one) => one['webhook-id'])).toEqual([id, id])
  expect(headers.map((one) => one['webhook-timestamp'])).toEqual(['1795424400', '1795424405'])
  expect(headers[0]?.['webhook-signature']).not.toBe(headers[1]?.['webhook-signature'])
})

it('the simulator keeps the old secret for a day by default', async () => {
  const { deliveries, clock } = openDeliveries()
  const { id } = deliveries.addEndpoint({ url: 'http://127.0.0.1:1/' })
  const { secrets } = deliveries.rotateSecret(id)
  await clock.step(86_399_000)
  expect(deliveries.endpoints[0]?.secrets).toEqual(secrets)
  await clock.step(1000)
  expect(deliveries.endpoints[0]?.secrets).toEqual(secrets.slice(0, 1))
})

it('the simulator derives the secret from the seed, so that a restart needs no new configuration', () => {
  const secretOf = (seed: number) =>
    openDeliveries({ seed }).deliveries.addEndpoint({ url: 'http://127.0.0.1:1/' }).secrets[0]
  expect(secretOf(1)).toBe(secretOf(1))
  expect(secretOf(1)).not.toBe(secretOf(2))
})

it('the simulator logs the request as the endpoint receives it, without the secret', async () => {
  const { deliveries } = openDeliveries()
  const endpoint = await startEndpoint()
  deliveries.addEndpoint(endpoint)
  const message = deliveries.send(userCreated)
  await deliveries.idle()
  const [attempt] = attemptsOf(message)
  const [received] = endpoint.received
  expect(attempt?.request.body).toBe(received?.body)
  expect(received?.headers).toMatchObject(attempt?.request.headers ?? {})
  expect(JSON.stringify(message)).not.toContain(TEST_SECRET)
})

function asDelivery(
  received: { headers: Record<string, unknown>; body: string } | undefined,
): verifiers.Delivery {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
  const headers = names.map((name) => [name, String(received?.headers[name])])
  return { headers: Object.fromEntries(headers), body: Buffer.from(received?.body ?? '') }
}
