import { ConfigurationError } from '@scalekit-scim/core'
import { scalekitFromEnv } from '@scalekit-scim/core/sync'

const variables = { SCALEKIT_CLIENT_ID: 'skc_1', SCALEKIT_CLIENT_SECRET: 'test_1' }
const error = await scalekitFromEnv({
  ...variables,
  SCALEKIT_ENVIRONMENT_URL: 'https://acme.scalekit.dev',
}).catch((reason) => reason)
console.log(error instanceof ConfigurationError, error.code)
