import { ConfigurationError } from '@scalekit-scim/core'
import { directories, scalekitFromEnv } from '@scalekit-scim/core/sync'
import { createSimulator } from '@scalekit-scim/simulator'
import { expect, test, vi } from 'vitest'
import { all } from './in-process-api.ts'

const variables = {
  SCALEKIT_ENVIRONMENT_URL: 'https://acme.scalekit.dev',
  SCALEKIT_CLIENT_ID: 'skc_1',
  SCALEKIT_CLIENT_SECRET: 'test_never to be seen',
}

test('the variables of the quickstart are enough to read directories', async () => {
  await using simulator = await createSimulator()
  const { id } = simulator.environment.createOrganization({ displayName: 'Acme' })
  const directory = simulator.environment.createDirectory(id)
  for (const [name, value] of Object.entries(simulator.variables)) vi.stubEnv(name, value)
  try {
    const api = await scalekitFromEnv()
    expect(await all(directories(api, 'all'))).toEqual([{ organizationId: id, id: directory.id }])
  } finally {
    vi.unstubAllEnvs()
  }
})

test('the variable of the URL may have the name from the SDK’s README', async () => {
  const { SCALEKIT_ENVIRONMENT_URL: SCALEKIT_ENV_URL, ...others } = variables
  await expect(scalekitFromEnv({ ...others, SCALEKIT_ENV_URL })).resolves.toHaveProperty('directory')
})

test.each(Object.keys(variables))('the error has the name of %s if it is missing or empty', async (name) => {
  for (const value of [undefined, '']) {
    const error: unknown = await scalekitFromEnv({ ...variables, [name]: value }).catch((reason) => reason)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({ code: 'ERR_SCIM_API_VARIABLE_MISSING', option: name })
    expect(String(error)).not.toContain('never to be seen')
  }
})

test("an invalid URL's variable is in the error, and its value is not", async () => {
  const swapped = { ...variables, SCALEKIT_ENVIRONMENT_URL: variables.SCALEKIT_CLIENT_SECRET }
  await expect(scalekitFromEnv(swapped)).rejects.toThrow(
    /^(?!.*never to be seen)SCALEKIT_ENVIRONMENT_URL is not a URL/,
  )
})
