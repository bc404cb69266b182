const { ConfigurationError } = require('@scalekit-scim/core')
const { scalekitFromEnv } = require('@scalekit-scim/core/sync')

const variables = { SCALEKIT_CLIENT_ID: 'skc_1', SCALEKIT_CLIENT_SECRET: 'test_1' }
scalekitFromEnv({ ...variables, SCALEKIT_ENVIRONMENT_URL: 'https://acme.scalekit.dev' }).catch((error) =>
  console.log(error instanceof ConfigurationError, error.code),
)
