import { type Check, refuses, survivable } from './check.ts'
import type { Probe } from './probe.ts'

const failClosed =
  "Verify before anything else: if (!verify(rawBody, headers)) return res.status(400).json({ error: 'Invalid signature' })."
const tolerance =
  'Refuse a webhook-timestamp that differs from your clock by more than 300 s. Without this check, anybody can send a recorded delivery again at any time.'

const signatureHeaders = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
const brokenSignatures = ['v1', 'v1,', 'v1,AAAA', 'v1,%%%%', 'nonsense', `v1,${'A'.repeat(4000)}`]
const brokenTimestamps = ['abc', '-1', '0', '9'.repeat(30)]

/** The checks with forged deliveries. If an endpoint accepts a forged delivery, anybody can send events to it. */
export const forgeryChecks: Check[] = [
  refuses(
    'unsigned',
    'unsigned deliveries are refused',
    `If a signature header is missing, refuse the delivery. ${failClosed}`,
    (probe) => ({
      'no signature headers': { ...probe.sign(), headers: { 'content-type': 'application/json' } },
      ...byName(signatureHeaders, 'no', (name) => probe.signThenSet({ [name]: undefined })),
      'an empty webhook-signature': probe.signThenSet({ 'webhook-signature': '' }),
    }),
  ),
  refuses('forged', 'a signature with a wrong key is refused', failClosed, (probe) => ({
    'another key': probe.forge(),
  })),
  refuses(
    'tampered',
    'a signature of other content is refused',
    'Verify the content that Standard Webhooks signs: the bytes of id, ".", timestamp, ".", body. The standardwebhooks package verifies this content.',
    (probe) => {
      const delivery = probe.sign()
      const later = String(Number(delivery.headers['webhook-timestamp']) + 1)
      return {
        'another body': { ...delivery, body: probe.sign(probe.event('tampered')).body },
        'another message id': probe.signThenSet({ 'webhook-id': 'msg_doctor_other' }, delivery),
        'another timestamp': probe.signThenSet({ 'webhook-timestamp': later }, delivery),
      }
    },
  ),
  refuses(
    'empty-key',
    'a signature with an empty key is refused',
    'The secret of the endpoint is empty. When the application starts, check that the secret is set, and that base64 follows whsec_.',
    (probe) => ({ 'the empty key': probe.forgeWithEmptyKey() }),
  ),
  survivable(
    refuses('malformed-headers', 'malformed signature headers are refused', failClosed, (probe) => ({
      ...byName(brokenSignatures, 'signature', (text) => probe.signThenSet({ 'webhook-signature': text })),
      ...byName(brokenTimestamps, 'timestamp', (text) => probe.signThenSet({ 'webhook-timestamp': text })),
    })),
  ),
  refuses('expired', 'a delivery that is 10 minutes old is refused', tolerance, (probe) => ({
    '−10 min': signedAt(probe, -600),
  })),
  refuses('from-the-future', 'a delivery from 10 minutes in the future is refused', tolerance, (probe) => ({
    '+10 min': signedAt(probe, 600),
  })),
]

function byName<T>(names: readonly string[], kind: string, make: (name: string) => T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [`${kind} ${name.slice(0, 20)}`, make(name)]))
}

function signedAt(probe: Probe, seconds: number) {
  return probe.sign(undefined, { at: new Date(Date.now() + seconds * 1000) })
}
