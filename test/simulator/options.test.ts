import { ConfigurationError } from '@scalekit-scim/core'
import { createSimulator, type SimulatorOptions } from '@scalekit-scim/simulator'
import { describe, expect, it } from 'vitest'

/** The error for options that the types exclude, such as those from JavaScript. */
async function refusalOf(options: unknown): Promise<unknown> {
  const started = createSimulator(options as SimulatorOptions)
  return started.then(
    async (simulator) => simulator.close(),
    (error: unknown) => error,
  )
}

describe('the start is refused, with the fix, for', () => {
  it.each([
    [{ sed: 1 }, 'There is no option `sed`; did you mean `seed`?'],
    [
      { verbose: true },
      'There is no option `verbose`. ERR_SCIM_UNKNOWN_OPTION in node_modules/@scalekit-scim/core/docs/errors.md lists the usual causes.',
    ],
    [
      { endpoints: [{ url: 'http://127.0.0.1:9/', secrets: '' }] },
      'There is no option `endpoints[0].secrets`; did you mean `endpoints[0].secret`?',
    ],
    [
      { endpoints: [{ url: 'http://127.0.0.1:9/' }, { url: 'localhost:9' }] },
      '`endpoints[1].url` must be a full http or https URL.',
    ],
    [
      { endpoints: [{ url: 'http://127.0.0.1:9/', secret: '' }] },
      "`endpoints[0].secret` is empty. Copy the signing secret (whsec_…) from the endpoint's page in the Scalekit dashboard.",
    ],
    [{ faults: { webhook: {} } }, 'There is no option `faults.webhook`; did you mean `faults.webhooks`?'],
    [
      { faults: { webhooks: { dropp: { share: 1 } } } },
      'There is no option `faults.webhooks.dropp`; did you mean `faults.webhooks.drop`?',
    ],
    [
      { faults: { webhooks: { delay: { share: 0.5 } } } },
      '`faults.webhooks.delay.seconds` must be a number, 0 or more.',
    ],
    [
      { faults: { api: { unavailble: 1 } } },
      'There is no option `faults.api.unavailble`; did you mean `faults.api.unavailable`?',
    ],
    [{ faults: { api: { internal: 2 } } }, '`faults.api.internal` must be a number from 0 to 1.'],
    [
      { faults: { api: { internal: { pages: 2 } } } },
      'There is no option `faults.api.internal.pages`; did you mean `faults.api.internal.page`?',
    ],
    [{ faults: { api: { latencyMs: '5' } } }, '`faults.api.latencyMs` must be a number, 0 or more.'],
    [{ seed: {} }, '`seed` must be a number or a string.'],
    [{ seed: Number.NaN }, '`seed` must be a number or a string.'],
    [{ port: '4000' }, '`port` must be a whole number from 0 to 65535.'],
    [{ port: 65_536 }, '`port` must be a whole number from 0 to 65535.'],
    [{ port: -1 }, '`port` must be a whole number from 0 to 65535.'],
    [{ host: '' }, '`host` must be an address or a name of this machine.'],
    [{ file: '' }, '`file` must be the path of a file.'],
    [{ clientId: 1 }, '`clientId` must be a string that is not empty.'],
    [{ clientSecret: '' }, '`clientSecret` must be a string that is not empty.'],
    [{ tokenSeconds: 0 }, '`tokenSeconds` must be a number above 0.'],
    [{ requestsPerMinute: 1.5 }, '`requestsPerMinute` must be a whole number, 0 or more.'],
    [
      { endpoints: { url: 'http://127.0.0.1:9/' } },
      '`endpoints` must be a list of objects with a `url`, and optionally a `secret` and `types`.',
    ],
    [
      { endpoints: ['http://127.0.0.1:9/'] },
      '`endpoints` must be a list of objects with a `url`, and optionally a `secret` and `types`.',
    ],
    [{ clockSpeed: -1 }, '`clockSpeed` must be a number, 0 or more.'],
    [{ clockSpeed: Number.POSITIVE_INFINITY }, '`clockSpeed` must be a number, 0 or more.'],
    [{ from: '2026-11-23T09:00:00Z' }, '`from` must be a Date.'],
    [{ from: new Date('soon') }, '`from` must be a Date.'],
    [{ retryJitterShare: 20 }, '`retryJitterShare` must be a number from 0 to 1.'],
    [{ faults: [] }, '`faults` must be an object with `webhooks` or `api`.'],
    [{ stampMicros: 1 }, '`stampMicros` must be a function.'],
    [null, 'The options must be an object, but null was given.'],
  ])('%j', async (options, message) => {
    const error = await refusalOf(options)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({ message })
  })
})

it('the simulator treats an undefined secret as a missing environment variable', async () => {
  const endpoints = [{ url: 'http://127.0.0.1:9/', secret: undefined }]
  expect(await refusalOf({ endpoints })).toMatchObject({
    code: 'ERR_SCIM_SECRET_MISSING',
    option: 'endpoints[0].secret',
  })
})

it('the simulator treats an undefined option as absent', async () => {
  const names = ['host', 'port', 'seed', 'file', 'clientId', 'endpoints', 'clockSpeed', 'from', 'faults']
  expect(await refusalOf(Object.fromEntries(names.map((name) => [name, undefined])))).toBeUndefined()
})

it('the simulator refuses the faults of an unknown part while it runs', async () => {
  await using simulator = await createSimulator()
  // @ts-expect-error: misspelled
  expect(() => simulator.setFaults({ webhook: {} })).toThrow(
    'There is no option `faults.webhook`; did you mean `faults.webhooks`?',
  )
})
