const { ConfigurationError } = require('@scalekit-scim/core')
const { scalekitFromEnv } = require('@scalekit-scim/core/sync')

test('scalekitFromEnv names the package that is missing', async () => {
  const variables = { SCALEKIT_CLIENT_ID: 'skc_1', SCALEKIT_CLIENT_SECRET: 'test_1' }
  const reading = () =>
    scalekitFromEnv({ ...variables, SCALEKIT_ENVIRONMENT_URL: 'https://acme.scalekit.dev' })

  await expect(reading()).rejects.toThrow(ConfigurationError)
  await expect(reading()).rejects.toMatchObject({ code: 'ERR_SCIM_SDK_MISSING' })
})
