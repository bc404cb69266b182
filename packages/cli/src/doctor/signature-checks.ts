import { type Check, mustRefuse, mustTake, type Tried, withAliveness } from './finding.ts'
import { rawBody } from './first-contact.ts'
import { type Probe, signatureByEmptyKey, someSecret, withHeaders } from './probe.ts'

const failClosed =
  "Refuse before anything else: if (!verify(rawBody, headers)) return res.status(400).json({ error: 'Invalid signature' })."
const signedContent =
  'Sign what Standard Webhooks signs: the bytes of id, ".", timestamp, ".", body; the standardwebhooks package and ours do.'
const tolerance =
  'Refuse a webhook-timestamp that is over 300 s from your clock, either way, or whoever records one delivery can send it for ever.'

const signatureHeaders = ['webhook-id', 'webhook-timestamp', 'webhook-signature']

export const signatureChecks: Check[] = [
  {
    name: 'unsigned',
    title: 'what is not signed is refused',
    run: async (probe) => {
      const none = Object.fromEntries(signatureHeaders.map((name) => [name, undefined]))
      const tries = [await tried('no signature headers', withHeaders(probe.sign(), none), probe)]
      for (const name of signatureHeaders) {
        tries.push(await tried(`no ${name}`, withHeaders(probe.sign(), { [name]: undefined }), probe))
      }
      tries.push(
        await tried(
          'an empty webhook-signature',
          withHeaders(probe.sign(), { 'webhook-signature': '' }),
          probe,
        ),
      )
      return mustRefuse(
        tries,
        `A header that is missing is a refusal, not a reason to skip the check. ${failClosed}`,
      )
    },
  },
  {
    name: 'forged',
    title: 'a signature by another key is refused',
    run: async (probe) =>
      mustRefuse(
        [await tried('another key', probe.sign(undefined, { secret: someSecret() }), probe)],
        failClosed,
      ),
  },
  {
    name: 'tampered',
    title: 'a signature for something else is refused',
    run: async (probe) => {
      const delivery = probe.sign()
      const { body } = probe.sign(probe.event('tampered'))
      const later = String(Number(delivery.headers['webhook-timestamp']) + 1)
      return mustRefuse(
        [
          await tried('another body', { ...delivery, body }, probe),
          await tried(
            'another message id',
            withHeaders(delivery, { 'webhook-id': 'msg_doctor_other' }),
            probe,
          ),
          await tried('another timestamp', withHeaders(delivery, { 'webhook-timestamp': later }), probe),
        ],
        signedContent,
      )
    },
  },
  {
    name: 'empty-key',
    title: 'a signature by the empty key is refused',
    run: async (probe) => {
      const delivery = probe.sign()
      const forged = withHeaders(delivery, { 'webhook-signature': signatureByEmptyKey(delivery) })
      return mustRefuse(
        [await tried('the empty key', forged, probe)],
        'Its secret decodes to nothing: check at start that the secret is there and is base64 after whsec_.',
      )
    },
  },
  {
    name: 'malformed-headers',
    title: 'headers without form or sense are refused',
    run: async (probe) => {
      const tries: Tried[] = []
      for (const signature of ['v1', 'v1,', 'v1,AAAA', 'v1,%%%%', 'nonsense', `v1,${'A'.repeat(4000)}`]) {
        const request = withHeaders(probe.sign(), { 'webhook-signature': signature })
        tries.push(await tried(`signature ${signature.slice(0, 12)}`, request, probe))
      }
      for (const timestamp of ['abc', '-1', '0', '9'.repeat(30)]) {
        const request = withHeaders(probe.sign(), { 'webhook-timestamp': timestamp })
        tries.push(await tried(`timestamp ${timestamp.slice(0, 12)}`, request, probe))
      }
      return withAliveness(probe, mustRefuse(tries, failClosed))
    },
  },
  {
    name: 'expired',
    title: 'a delivery that is 10 minutes old is refused',
    run: async (probe) => mustRefuse([await triedAt(-600, probe)], tolerance),
  },
  {
    name: 'from-the-future',
    title: 'a delivery from 10 minutes ahead is refused',
    run: async (probe) => mustRefuse([await triedAt(600, probe)], tolerance),
  },
  {
    name: 'several-signatures',
    title: 'one valid signature among several is enough',
    run: async (probe) => {
      const forged = probe.sign(undefined, { secret: someSecret() }).headers['webhook-signature']
      const tries: Tried[] = []
      for (const [what, other] of [
        ['the second of two', forged],
        ['after one of another version', 'v1a,bm90IG91cnM='],
        ['after one of another length', 'v1,AAAA'],
      ] as const) {
        const delivery = probe.sign()
        const both = `${other} ${delivery.headers['webhook-signature']}`
        tries.push(await tried(what, withHeaders(delivery, { 'webhook-signature': both }), probe))
      }
      return mustTake(
        tries,
        'Compare with each entry of the list, which a space separates: while a secret is rotated there are two. Pass over those of another version or length.',
      )
    },
  },
]

/** What the endpoint ought to do with bytes that another serialiser would write otherwise. */
export const bytesCheck: Check = {
  name: 'bytes',
  title: 'the bytes are verified, not a parsed body',
  run: async (probe) => {
    const all = `{ ${oddities.map(([, fragment], index) => `"odd ${index}" : ${fragment}`).join(' , ')} }`
    const together = await tried('all together', probe.sign(probe.textWith(all)), probe)
    const first = mustTake([together], rawBody)
    if (first.state === 'ok') return first
    const tries: Tried[] = []
    for (const [what, fragment] of oddities) {
      tries.push(await tried(what, probe.sign(probe.textWith(fragment)), probe))
    }
    const each = mustTake(tries, rawBody)
    return each.state === 'ok' ? first : each
  },
}

const oddities: readonly (readonly [what: string, fragment: string])[] = [
  ['1.0', '1.0'],
  ['1e2', '1e2'],
  ['a number of 20 digits', '12345678901234567890'],
  ['\\u00e9', String.raw`"\u00e9"`],
  ['\\/', String.raw`"\/"`],
  ['white space', '{ "a" : [ 1 , 2 ] }'],
  ['keys in an order of their own', '{"b":1,"2":2,"1":3}'],
  ['a key twice', '{"a":1,"a":2}'],
]

export async function tried(
  what: string,
  request: Parameters<Probe['post']>[0],
  probe: Probe,
): Promise<Tried> {
  return { what, outcome: await probe.post(request) }
}

async function triedAt(seconds: number, probe: Probe): Promise<Tried> {
  const at = new Date(Date.now() + seconds * 1000)
  return tried(`${seconds > 0 ? '+' : '−'}10 min`, probe.sign(undefined, { at }), probe)
}
