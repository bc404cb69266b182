import { isNativeError } from 'node:util/types'
import { runInThisContext } from 'node:vm'
import { ConfigurationError } from '@scalekit-scim/core'
import type { DirectoryApi } from './directory-api.ts'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Creates Scalekit's client from the environment variables of Scalekit's quickstart: `SCALEKIT_ENVIRONMENT_URL` (or
 * `SCALEKIT_ENV_URL`), `SCALEKIT_CLIENT_ID` and `SCALEKIT_CLIENT_SECRET`. You must install `@scalekit-sdk/node`. Only
 * this function loads the SDK.
 *
 * @throws ConfigurationError if a variable or the SDK is missing
 * @example
 * const scalekit = await scalekitFromEnv()
 */
export async function scalekitFromEnv(variables: Variables = process.env): Promise<DirectoryApi> {
  const url = required(variables, 'SCALEKIT_ENVIRONMENT_URL', 'SCALEKIT_ENV_URL')
  const clientId = required(variables, 'SCALEKIT_CLIENT_ID')
  const clientSecret = required(variables, 'SCALEKIT_CLIENT_SECRET')
  if (!URL.canParse(url)) {
    throw wrongVariable('SCALEKIT_ENVIRONMENT_URL', 'is not a URL such as https://your-app.scalekit.com')
  }
  const { ScalekitClient } = await loadSdk()
  return new ScalekitClient(url, clientId, clientSecret)
}

function required(variables: Variables, name: string, otherName = name): string {
  const value = variables[name] || variables[otherName]
  if (value) return value
  throw wrongVariable(name, 'is not set: copy it from API credentials in the dashboard')
}

function wrongVariable(name: string, problem: string): ConfigurationError {
  return new ConfigurationError('ERR_SCIM_API_VARIABLE_MISSING', `${name} ${problem}`, name)
}

async function loadSdk() {
  try {
    return await import('@scalekit-sdk/node')
  } catch (error) {
    if (isMissingModule(error)) {
      throw new ConfigurationError(
        'ERR_SCIM_SDK_MISSING',
        'the directory sync needs @scalekit-sdk/node, which is not installed. Run `npm install @scalekit-sdk/node`',
      )
    }
    // Only Jest sets the variable, and only CommonJS has `__filename`.
    if (process.env.JEST_WORKER_ID === undefined || typeof __filename !== 'string') throw error
    return loadSdkOutsideJest()
  }
}

/**
 * In CommonJS, Jest's `require` cannot load the ES modules that the SDK depends on. Node's own `require`, which is
 * available in Node's main context, can load these modules.
 */
function loadSdkOutsideJest(): typeof import('@scalekit-sdk/node', { with: { 'resolution-mode': 'import' }}) {
  const { createRequire } = runInThisContext("process.getBuiltinModule('node:module')")
  return createRequire(__filename)('@scalekit-sdk/node')
}

function isMissingModule(error: unknown): boolean {
  // `instanceof Error` would be wrong here: in Jest, errors of the module loader come from another realm.
  return (
    isNativeError(error) &&
    'code' in error &&
    (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND') &&
    error.message.includes('@scalekit-sdk/node')
  )
}
