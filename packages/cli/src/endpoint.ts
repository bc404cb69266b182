import { signDelivery } from '@scalekit-scim/core/testing'
import { wrongUsage } from './failures.ts'
import { withoutSecrets } from './terminal.ts'

export const secretVariable = 'SCALEKIT_WEBHOOK_SECRET'

/** Where deliveries go to, and what they are signed with. */
export interface Target {
  url: URL
  secret: string
}

/** @throws Failure when one of the two is missing or unusable */
export function targetOf(address: string, secret: string | undefined): Target {
  return { url: parseEndpoint(address), secret: secretFrom(secret) }
}

export function parseEndpoint(address: string): URL {
  const url = URL.parse(address)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') {
    if (isDecodable(url.username + url.password)) return url
    throw wrongUsage('The user or the password in the address is not percent-encoded: write %25 for %.')
  }
  throw wrongUsage(
    `${JSON.stringify(address)} is no http or https address. Give all of it: http://127.0.0.1:3000/webhooks/scalekit`,
  )
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** The option, else the environment. */
export function secretFrom(option: string | undefined): string {
  const secret = option ?? process.env[secretVariable]
  if (!secret) throw wrongUsage(`No signing secret: give --secret, or set ${secretVariable}.`)
  return checkedSecret(secret, option === undefined ? secretVariable : '--secret')
}

/** core knows best what a usable secret is, and its message says how to fix one. */
export function checkedSecret(secret: string, source: string): string {
  try {
    signDelivery('', { secret })
    return secret
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw wrongUsage(withoutSecrets(reason.replace('`secret`', source)))
  }
}

/** An address as it may be shown: without the password that it may hold. */
export function shownAddress(url: URL | string): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  return shown.href
}
