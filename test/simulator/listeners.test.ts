import { createSimulator } from '@scalekit-scim/simulator'
import { expect, it, onTestFinished } from 'vitest'

it('reports what a listener throws as uncaught, finishes the change, and tells the others', async () => {
  const uncaught = catchUncaught()
  await using simulator = await createSimulator()
  const { environment, deliveries } = simulator
  const told: string[] = []
  const tell = (what: string) => () => {
    told.push(what)
    throw new Error(`${what} fails`)
  }
  for (const nth of ['first', 'second']) {
    environment.onChange(tell(`${nth} of the change`))
    environment.onEvent(tell(`${nth} of the event`))
    deliveries.onEndpointsChange(tell(`${nth} of the endpoint`))
    deliveries.onChange(tell(`${nth} of the message`))
  }

  deliveries.addEndpoint({ url: 'http://127.0.0.1:9/' })
  const { id } = environment.createOrganization({ displayName: 'Acme' })
  expect(told).toEqual([
    'first of the endpoint',
    'second of the endpoint',
    'first of the change',
    'second of the change',
  ])
  told.length = 0
  environment.createDirectory(id)
  await deliveries.idle()
  expect(environment.directoriesOf(id)).toHaveLength(1)
  expect(deliveries.messages).toMatchObject([
    { deliveries: [{ state: 'pending', attempts: [{ number: 1 }] }] },
  ])
  expect(told.slice(0, 6)).toEqual([
    'first of the change',
    'second of the change',
    'first of the event',
    'second of the event',
    'first of the message',
    'second of the message',
  ])
  await expect
    .poll(() => uncaught.map(String))
    .toEqual(expect.arrayContaining(told.map((what) => `Error: ${what} fails`)))
})

it('tells a listener of nothing that comes before it or after it', async () => {
  await using simulator = await createSimulator()
  const { environment } = simulator
  const told: string[] = []
  const stop = environment.onChange(() => {
    told.push('first')
    stop()
    environment.onChange(() => told.push('second'))
  })
  environment.createOrganization({ displayName: 'Acme' })
  expect(told).toEqual(['first'])
  environment.createOrganization({ displayName: 'Other' })
  expect(told).toEqual(['first', 'second'])
})

it('lets the environment be changed after its end, and tells nobody', async () => {
  const uncaught = catchUncaught()
  const simulator = await createSimulator()
  const { id } = simulator.environment.createOrganization({ displayName: 'Acme' })
  await simulator.close()
  simulator.environment.createDirectory(id)
  await new Promise((resolve) => setImmediate(resolve))
  expect(uncaught).toEqual([])
  expect(simulator.deliveries.messages).toEqual([])
})

function catchUncaught(): unknown[] {
  const caught: unknown[] = []
  process.setUncaughtExceptionCaptureCallback((error) => caught.push(error))
  onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null))
  return caught
}
