import { signDelivery } from '@scalekit-scim/core/testing'
import { wrongUsage } from './failures.ts'
import { withoutSecrets } from './terminal.ts'

export const secretVariable = 'SCALEKIT_WEBHOOK_SECRET'

/** @throws Failure */
export function parseEndpoint(address: string): URL {
  const url = URL.parse(address)
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw wrongUsage(
      `${JSON.stringify(address)} is not an http or https address. Give the full address: http://127.0.0.1:3000/webhooks/scalekit`,
    )
  }
  try {
    decodeURIComponent(url.username + url.password)
    return url
  } catch {
    throw wrongUsage('The user or password in the address is not percent-encoded. Write %25 for %.')
  }
}

/** Returns the secret of the option. Without the option, returns the secret of the variable. @throws Failure */
export function secretFrom(option: string | undefined): string {
  const secret = option ?? process.env[secretVariable]
  if (!secret) throw wrongUsage(`The signing secret is missing. Give --secret, or set ${secretVariable}.`)
  try {
    // Core checks the secret. Core's error message includes the fix.
    signDelivery('', { secret })
    return secret
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const source = option === undefined ? secretVariable : '--secret'
    throw wrongUsage(withoutSecrets(reason.replace('`secret`', source)))
  }
}

/** Returns the address without its user and password. */
export function shownAddress(url: URL | string): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  return shown.href
}
