import { createSimulator } from '@scalekit-scim/simulator'
import { expect, it, onTestFinished } from 'vitest'

it('the environment reports the error of a listener as uncaught, completes the change, and calls the other listeners', async () => {
  const uncaught = catchUncaught()
  await using simulator = await createSimulator()
  const { environment, deliveries } = simulator
  const calls: string[] = []
  const listener = (what: string) => () => {
    calls.push(what)
    throw new Error(`${what} fails`)
  }
  for (const nth of ['first', 'second']) {
    environment.onChange(listener(`${nth} of the change`))
    environment.onEvent(listener(`${nth} of the event`))
    deliveries.onEndpointsChange(listener(`${nth} of the endpoint`))
    deliveries.onChange(listener(`${nth} of the message`))
  }

  deliveries.addEndpoint({ url: 'http://127.0.0.1:9/' })
  const { id } = environment.createOrganization({ displayName: 'Acme' })
  expect(calls).toEqual([
    'first of the endpoint',
    'second of the endpoint',
    'first of the change',
    'second of the change',
  ])
  calls.length = 0
  environment.createDirectory(id)
  await deliveries.idle()
  expect(environment.directoriesOf(id)).toHaveLength(1)
  expect(deliveries.messages).toMatchObject([
    { deliveries: [{ state: 'pending', attempts: [{ number: 1 }] }] },
  ])
  expect(calls.slice(0, 6)).toEqual([
    'first of the change',
    'second of the change',
    'first of the event',
    'second of the event',
    'first of the message',
    'second of the message',
  ])
  await expect
    .poll(() => uncaught.map(String))
    .toEqual(expect.arrayContaining(calls.map((what) => `Error: ${what} fails`)))
})

it('the environment calls a listener only while it is added', async () => {
  await using simulator = await createSimulator()
  const { environment } = simulator
  const calls: string[] = []
  const stop = environment.onChange(() => {
    calls.push('first')
    stop()
    environment.onChange(() => calls.push('second'))
  })
  environment.createOrganization({ displayName: 'Acme' })
  expect(calls).toEqual(['first'])
  environment.createOrganization({ displayName: 'Other' })
  expect(calls).toEqual(['first', 'second'])
})

it('the environment accepts changes after close, and sends nothing', async () => {
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
