import { expect, it, onTestFinished } from 'vitest'
import { openDeliveries, startEndpoint, userCreated, userNumber } from './delivery-scene.ts'

/** Collects the warnings of this process until the end of the test. */
function warnings(): string[] {
  const warned: string[] = []
  const listen = ({ message }: Error) => void warned.push(message)
  process.on('warning', listen)
  onTestFinished(() => void process.off('warning', listen))
  return warned
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('the simulator keeps 100,000 pending messages, then drops the oldest ones, and warns once', async () => {
  const warned = warnings()
  // The simulator makes no attempt, because each message waits an hour.
  const { deliveries } = openDeliveries({ faults: { delay: { share: 1, seconds: 3600 } } })
  const endpoint = await startEndpoint()
  deliveries.addEndpoint(endpoint)
  const [first, second] = [deliveries.send(userCreated), deliveries.send(userCreated)]
  for (let number = 2; number < 100_000; number++) deliveries.send(userCreated)
  await turn()
  expect(first.deliveries).toMatchObject([{ state: 'pending' }])
  expect(warned).toEqual([])

  deliveries.send(userCreated)
  const last = deliveries.send(userCreated)
  await turn()
  for (const { deliveries: gone } of [first, second]) {
    expect(gone).toEqual([
      {
        endpointId: expect.any(String),
        state: 'failed',
        givenUp: 'too many messages are pending',
        attempts: [],
        attemptsUnderWay: 0,
      },
    ])
  }
  expect(last.deliveries).toMatchObject([{ state: 'pending' }])
  expect(deliveries.messages.filter((one) => one.deliveries[0]?.state === 'pending')).toHaveLength(100_000)
  expect(warned).toEqual([
    expect.stringMatching(/^More than 100,000 webhook messages.* are pending.*Is your endpoint running\?$/),
  ])

  // A replay delivers the dropped message.
  await deliveries.replay(first.id)
  expect(first.deliveries).toMatchObject([{ state: 'delivered' }])
  expect(first.deliveries[0]).not.toHaveProperty('givenUp')
})

it('the simulator stores at most 256 MB of replies to pending messages', async () => {
  const warned = warnings()
  // The deadline is long enough for a busy machine, because an attempt without a reply adds no bytes.
  const { deliveries } = openDeliveries({ attemptDeadlineSeconds: 60 })
  deliveries.addEndpoint(await startEndpoint((response) => response.writeHead(500).end('x'.repeat(65_536))))
  const messages = Array.from({ length: 4096 }, (_, number) => deliveries.send(userNumber(number)))
  await deliveries.idle()
  const stateOf = (number: number) => messages[number]?.deliveries[0]?.state
  expect([stateOf(0), stateOf(4095)]).toEqual(['pending', 'pending'])
  deliveries.send(userNumber(4096))
  await deliveries.idle()
  await turn()
  expect([stateOf(0), stateOf(1)]).toEqual(['failed', 'pending'])
  expect(warned).toHaveLength(1)
})
