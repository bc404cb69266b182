// Measures the CPU of one event, from its bytes to its reply, without HTTP. The turns alternate, so that other load
// affects all of them equally. Compares events of 1 KB with the SDK's verification, and events of 200 KB with the least
// work that they need: an HMAC and JSON.parse.
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { createReceiver } from '@scalekit-scim/core'
import { type SignedDelivery, sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { ScalekitClient } from '@scalekit-sdk/node'
import { parseSecret, readSignedHeaders, verify } from '../packages/core/src/verification/signature.ts'
import { cpuMs, ratios, roundsOr } from './measure.ts'
import { progress, publish, type Verdict } from './report.ts'

const rounds = roundsOr(11)
const warmUpRounds = 10
const sizes = { '1 KB': { bytes: 1024, events: 3000 }, '200 KB': { bytes: 200 * 1024, events: 60 } }
type Size = keyof typeof sizes

const receiver = createReceiver({
  secret: TEST_SECRET,
  store: 'memory',
  logger: false,
  onUserUpserted: () => {},
})
const sdk = new ScalekitClient('http://127.0.0.1:1', 'client', 'secret')
const keys = [parseSecret(TEST_SECRET)]
const floorKey = createSecretKey(TEST_SECRET.slice('whsec_'.length), 'base64')

/** Each subject throws if it does not accept the event. */
const subjects = {
  async 'receive()'(delivery: SignedDelivery) {
    const { outcome } = await receiver.receive({ url: '/webhooks/scalekit', ...delivery })
    if (outcome !== 'processed') throw new Error(`the benchmark's own event was ${outcome}`)
  },
  'HMAC and JSON.parse'({ headers, body }: SignedDelivery) {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.`
    const expected = `v1,${createHmac('sha256', floorKey).update(signed).update(body).digest('base64')}`
    if (!timingSafeEqual(Buffer.from(expected), Buffer.from(headers['webhook-signature']))) throw refused
    if (JSON.parse(body.toString()).data === undefined) throw refused
  },
  'our verification'({ headers, body }: SignedDelivery) {
    const signed = readSignedHeaders(headers, Date.now(), 300)
    if ('failure' in signed || !verify(keys, signed, body)) throw refused
  },
  "the SDK's verification"({ headers, body }: SignedDelivery) {
    if (!sdk.verifyWebhookPayload(TEST_SECRET, headers, body.toString())) throw refused
  },
}
type SubjectName = keyof typeof subjects
const refused = new Error("the benchmark's own event was refused")

function deliveries(round: number, { bytes, events }: (typeof sizes)[Size]): SignedDelivery[] {
  return Array.from({ length: events }, (_, index) => {
    const id = `diruser_${bytes}_${round}_${index}`
    const type = 'organization.directory.user_updated'
    const base = JSON.stringify(sampleEvent(type, { data: { id } })).length
    const custom_attributes = attributes(bytes - base)
    return signDelivery(sampleEvent(type, { data: { id, custom_attributes } }), { messageId: `msg_${id}` })
  })
}

/** Returns attributes of about 100 bytes each. */
function attributes(bytes: number): Record<string, string> {
  const count = Math.max(1, Math.round(bytes / 100))
  const value = 'x'.repeat(Math.max(1, Math.floor(bytes / count) - '"attribute_1000":"",'.length))
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`attribute_${1000 + at}`, value]))
}

const names = Object.keys(subjects) as SubjectName[]
const costs = Object.fromEntries(
  names.map((name) => [name, { '1 KB': [], '200 KB': [] } as Record<Size, number[]>]),
) as Record<SubjectName, Record<Size, number[]>>

for (let round = -warmUpRounds; round < rounds; round++) {
  progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`)
  for (const size of Object.keys(sizes) as Size[]) {
    const batch = deliveries(round, sizes[size])
    for (const name of names) {
      // A subject does not pay for the garbage of the subject before it.
      globalThis.gc?.()
      const tookMs = await cpuMs(async () => {
        for (const delivery of batch) await subjects[name](delivery)
      })
      if (round >= 0) costs[name][size].push((tookMs * 1000) / batch.length)
    }
  }
}
await receiver.close()

const ratio = (name: SubjectName, to: SubjectName, size: Size) => ratios(costs[name][size], costs[to][size])
const timesAsFast = (size: Size): Verdict => ({
  name: `speed of our verification, ${size}, against the SDK's`,
  values: ratio("the SDK's verification", 'our verification', size),
  limit: 3,
  bound: 'at least',
})

publish({
  title: `CPU of one event without HTTP, ${rounds} rounds`,
  columns: [
    { name: '1 KB', unit: 'µs', digits: 1 },
    { name: "of the SDK's", unit: '×', digits: 2 },
    { name: '200 KB', unit: 'µs', digits: 0 },
    { name: 'of HMAC and JSON.parse', unit: '×', digits: 2 },
  ],
  rows: names.map((name) => ({
    name,
    cells: {
      ...costs[name],
      "of the SDK's": ratio(name, "the SDK's verification", '1 KB'),
      'of HMAC and JSON.parse': ratio(name, 'HMAC and JSON.parse', '200 KB'),
    },
  })),
  verdicts: [
    {
      name: 'CPU, receive() / HMAC and JSON.parse, 200 KB',
      values: ratio('receive()', 'HMAC and JSON.parse', '200 KB'),
      limit: 1.3,
    },
    timesAsFast('1 KB'),
    timesAsFast('200 KB'),
  ],
})
