import { createHash } from 'node:crypto'
import type { Message, WebhookFaults } from '@scalekit-scim/simulator'
import { expect, it } from 'vitest'
import { Environment } from '../../packages/simulator/src/environment/environment.ts'
import { createRandomness } from '../../packages/simulator/src/randomness.ts'
import { openDeliveries, startEndpoint } from './delivery-scene.ts'

const everyFault: WebhookFaults = {
  drop: { share: 0.1 },
  delay: { share: 0.2, seconds: 40 },
  duplicate: { share: 0.2, copies: 3 },
  reorder: { share: 0.2, past: 2 },
  corruptSignature: { share: 0.2 },
  clockSkew: { share: 0.2, seconds: -400 },
  truncate: { share: 0.2 },
  slow: { share: 0.02, seconds: 0.2 },
}

/** Sends the changes of some days in a directory to two endpoints. One endpoint refuses some attempts. */
async function live(seed: number, faults: WebhookFaults = everyFault): Promise<readonly Message[]> {
  const from = new Date('2026-11-23T09:00:00Z')
  const { deliveries, clock } = openDeliveries({ seed, from, faults, retryJitterShare: 0.2 })
  const environment = new Environment({ clock, randomness: createRandomness(seed) })
  environment.onEvent((event) => deliveries.send(event))
  // The answer depends only on the attempt. The delay of the answer varies.
  deliveries.addEndpoint(
    await startEndpoint((response) => setTimeout(() => response.writeHead(201).end(), Math.random() * 5)),
  )
  const picky = await startEndpoint((response) => {
    const id = String(response.req.headers['webhook-id']) + response.req.headers['webhook-timestamp']
    const isTaken = Number(createHash('sha256').update(id).digest()[0]) > 128
    setTimeout(() => response.writeHead(isTaken ? 201 : 503).end(), Math.random() * 5)
  })
  deliveries.addEndpoint(picky)

  const { id } = environment.createOrganization({ displayName: 'Megasoft' })
  const directory = environment.createDirectory(id)
  const group = environment.createGroup(directory.id, { displayName: 'Engineering' })
  for (let day = 0; day < 6; day++) {
    const [one, two] = [1, 2].map((of) =>
      environment.createUser(directory.id, { attributes: { userName: `user${day}-${of}` } }),
    )
    if (!one || !two) continue
    environment.addMember(group.id, one.id)
    environment.updateUser(two.id, { active: false })
    await clock.step(3_600_000)
    environment.deleteUser(two.id)
    await clock.step(23 * 3_600_000)
  }
  environment.deleteGroup(group.id)
  await clock.step(7 * 24 * 3_600_000)
  return structuredClone(deliveries.messages)
}

/** Returns the run without durations, ports, dates of replies, and messages of the operating system. */
function comparable(messages: readonly Message[]) {
  return messages.map((message) => ({
    ...message,
    deliveries: message.deliveries.map((delivery) => ({
      ...delivery,
      attempts: delivery.attempts.map(({ durationMs: _, response, ...attempt }) => ({
        ...attempt,
        status: response?.status,
      })),
    })),
  }))
}

it('the simulator repeats a run with the same seed, and makes another run with another seed', async () => {
  const [first, again, other] = [await live(7), await live(7), await live(8)].map(comparable)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
  // A run without failures would always be the same.
  const deliveries = first?.flatMap((message) => message.deliveries) ?? []
  expect(new Set(deliveries.map(({ state }) => state))).toEqual(new Set(['delivered', 'dropped']))
  const faults = new Set(deliveries.flatMap(({ attempts }) => attempts.flatMap((attempt) => attempt.faults)))
  expect([...faults].sort()).toEqual(
    Object.keys(everyFault)
      .filter((name) => name !== 'drop')
      .sort(),
  )
})

it('each fault has its own random numbers, so that an added fault does not change the others', async () => {
  const dropped = (messages: readonly Message[]) =>
    messages.flatMap(({ deliveries }, index) =>
      deliveries.map(({ state }, endpoint) => (state === 'dropped' ? `${index} ${endpoint}` : '')),
    )
  const [alone, among] = [await live(7, { drop: { share: 0.1 } }), await live(7)].map(dropped)
  expect(among).toEqual(alone)
  expect(new Set(alone).size).toBeGreaterThan(5)
})
