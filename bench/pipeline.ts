// Measures the processing of one event from its bytes to its reply, without HTTP. Compares the processing with the
// SDK's verification of the same bytes. Rounds alternate, so that other load affects both equally.
import { createReceiver } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { ScalekitClient } from '@scalekit-sdk/node'
import { cpuMs, median, spread } from './measure.ts'

const rounds = 15
const eventsPerRound = 5000
const warmUpRounds = 3
const limitMicroseconds = 60

function deliveries(round: number) {
  return Array.from({ length: eventsPerRound }, (_, index) => {
    const event = sampleEvent('organization.directory.user_updated', {
      data: { id: `diruser_${round}_${index}`, profile: 'x'.repeat(150) },
    })
    return signDelivery(event, { messageId: `msg_${round}_${index}` })
  })
}

const receiver = createReceiver({
  secret: TEST_SECRET,
  store: 'memory',
  logger: false,
  onUserUpserted: () => {},
})
const sdk = new ScalekitClient('http://127.0.0.1:1', 'client', 'secret')
const ours: number[] = []
const theirs: number[] = []
let bytes = 0

for (let round = -warmUpRounds; round < rounds; round++) {
  const batch = deliveries(round)
  bytes = batch[0]?.body.length ?? 0
  const url = '/webhooks/scalekit'
  const receiving = await cpuMs(async () => {
    for (const delivery of batch) {
      const { outcome } = await receiver.receive({ url, ...delivery })
      if (outcome !== 'processed') throw new Error(`the benchmark's own event was ${outcome}`)
    }
  })
  const verifying = await cpuMs(() => {
    for (const { headers, body } of batch) {
      if (!sdk.verifyWebhookPayload(TEST_SECRET, headers, body.toString())) throw new Error('the SDK refused')
    }
  })
  if (round < 0) continue
  ours.push((receiving * 1000) / eventsPerRound)
  theirs.push((verifying * 1000) / eventsPerRound)
}

const ratios = ours.map((cost, round) => cost / (theirs[round] ?? Number.NaN))
console.log(
  `One event of ${bytes} bytes, CPU, ${rounds} rounds of ${eventsPerRound}: median (minimum … maximum)`,
)
console.log(`  whole pipeline      ${spread(ours, 'µs')}`)
console.log(`  the SDK's verifier  ${spread(theirs, 'µs')}`)
console.log(`  ratio               ${spread(ratios, '×', 2)}`)
const kept = median(ours) <= limitMicroseconds
console.log(`  limit ${limitMicroseconds} µs: ${kept ? 'kept' : 'EXCEEDED'}`)
process.exitCode = kept ? 0 : 1
