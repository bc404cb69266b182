import { signDelivery } from '@scalekit-scim/core/testing'

export interface SigningRequest {
  messageId: string
  body: Uint8Array
  /** Each signs: while one is being replaced there are two. */
  secrets: readonly string[]
  atMs: number
}

/** The headers of one attempt. Several signatures are separated by a space (Standard Webhooks, Webhook metadata). */
export function signedHeaders({ messageId, body, secrets, atMs }: SigningRequest): Record<string, string> {
  const at = new Date(atMs)
  const each = secrets.map((secret) => signDelivery(body, { secret, messageId, at }).headers)
  const [first] = each
  if (!first) throw new RangeError('nothing is signed without a secret')
  const signatures = each.map((headers) => headers['webhook-signature'])
  return { ...first, 'webhook-signature': signatures.join(' ') }
}

/** The same with another first letter in each signature: right in form, and wrong. */
export function corrupted(signatures: string): string {
  return signatures.replace(/(?<=v1,)./g, (letter) => (letter === 'A' ? 'B' : 'A'))
}
