import type { Exchange } from '../exchange.ts'
import {
  accepts,
  type Check,
  check,
  type Finding,
  isAccepted,
  isServerError,
  judge,
  noAnswer,
  note,
  ok,
  refusal,
  serverError,
  shown,
  survivable,
  wrong,
} from './check.ts'
import { rawBodyHint } from './first-delivery.ts'

const anyTypeHint = "Read the bytes of any content type: express.raw({ type: '*/*' })."
const limitHint = "Set a limit: express.raw({ type: '*/*', limit: '1mb' }). The size of an event is a few kB."

/** JSON values that parsing and serializing can change. */
const fragments = {
  '1.0': '1.0',
  '1e2': '1e2',
  'a number of 20 digits': '12345678901234567890',
  '\\u00e9': String.raw`"\u00e9"`,
  '\\/': String.raw`"\/"`,
  'white space': '{ "a" : [ 1 , 2 ] }',
  'keys in another order': '{"b":1,"2":2,"1":3}',
  'a key twice': '{"a":1,"a":2}',
}

const notEvents = ['{"type":', 'null', '[]', '"text"', '1', '']

export const bodyChecks: Check[] = [
  accepts(
    'several-signatures',
    'several signatures, one of them valid, are accepted',
    'Compare each entry of the space-separated list. During a rotation of the secret, the list has two entries. Skip entries of another version or length.',
    (probe) => {
      const second = (other: string | undefined) => {
        const delivery = probe.sign()
        const both = `${other} ${delivery.headers['webhook-signature']}`
        return probe.signThenSet({ 'webhook-signature': both }, delivery)
      }
      return {
        'the second of two': second(probe.forge().headers['webhook-signature']),
        'after a signature of another version': second('v1a,bm90IG91cnM='),
        'after a signature of another length': second('v1,AAAA'),
      }
    },
  ),
  accepts('bytes', 'the signature of the received bytes is verified', rawBodyHint, (probe) => {
    const textWith = (fragment: string) => JSON.stringify(probe.event('@')).replace('"@"', () => fragment)
    return Object.fromEntries(
      Object.entries(fragments).map(([what, fragment]) => [what, probe.sign(textWith(fragment))]),
    )
  }),
  accepts('charset', 'a charset after application/json is accepted', anyTypeHint, (probe) => ({
    'application/json; charset=utf-8': probe.signThenSet({
      'content-type': 'application/json; charset=utf-8',
    }),
  })),
  check('content-type', 'any content type is accepted', async (probe) => {
    const outcomes = await probe.postAll({
      'application/cloudevents+json': probe.signThenSet({ 'content-type': 'application/cloudevents+json' }),
      'text/plain': probe.signThenSet({ 'content-type': 'text/plain' }),
      none: probe.signThenSet({ 'content-type': undefined }),
    })
    const detail = 'The endpoint refuses valid deliveries with a content type other than application/json'
    return judge(outcomes, [noAnswer(), { ...refusal(anyTypeHint, detail), state: 'note' }])
  }),
  accepts(
    'large',
    'an event of 150 kB is accepted',
    "Raise the limit of the parser: express.raw({ type: '*/*', limit: '1mb' }). The parser's default limit is 100 kB.",
    (probe) => ({ '150 kB': probe.sign(probe.event('x'.repeat(150_000))) }),
  ),
  survivable(
    check('oversized', 'a body of 2 MB is refused without a crash', async (probe) =>
      oversizedFinding(await probe.post(probe.sign(probe.event('x'.repeat(2_000_000))))),
    ),
  ),
  survivable(
    check('no-event', 'a signed body that is not an event does not cause a crash', async (probe) => {
      const outcomes = await probe.postAll({
        ...Object.fromEntries(notEvents.map((body) => [body ? `body ${body}` : 'no body', probe.sign(body)])),
        'invalid UTF-8': probe.sign(Buffer.from([0x7b, 0xff, 0x7d])),
      })
      const objectHint = 'If the parsed body is not an object with a type, answer 400.'
      const mistakes = [
        noAnswer('Catch errors of JSON.parse, and answer 400.'),
        serverError(objectHint, 'The endpoint answers with a server error'),
      ]
      return judge(outcomes, mistakes, 'answered with')
    }),
  ),
]

function oversizedFinding(outcome: Exchange): Finding {
  if (isAccepted(outcome)) {
    return note(`Any sender can make the endpoint read 2 MB (${shown(outcome)}).`, limitHint)
  }
  if (outcome.kind === 'answer' && !isServerError(outcome)) return ok(`refused with ${shown(outcome)}`)
  if (outcome.kind === 'no-answer' && outcome.reason === 'late') {
    return wrong('The endpoint has not answered within 10 s.', limitHint)
  }
  return note(`The endpoint answers with ${shown(outcome)}. The status 413 is clearer.`, limitHint)
}
