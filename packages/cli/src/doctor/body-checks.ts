import type { Exchange } from '../exchange.ts'
import { accepts, type Check, survivable, tryAll } from './check.ts'
import {
  acceptedWith,
  type Finding,
  mustAccept,
  note,
  ok,
  unanswered,
  withoutAnswer,
  wrong,
} from './finding.ts'
import { rawBodyHint } from './first-delivery.ts'
import { isAccepted, isServerError, listed, shown, shownAll } from './outcomes.ts'

const anyTypeHint = "Read the bytes of any content type: express.raw({ type: '*/*' })."
const limitHint = "Set a limit: express.raw({ type: '*/*', limit: '1mb' }). An event is a few kB."

/** JSON values that change when a body is parsed and then serialized again. */
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

export const bodyChecks: Check[] = [
  accepts(
    'several-signatures',
    'one valid signature among several is enough',
    'Compare each entry of the space-separated list: there are two during a rotation of the secret. Skip entries of another version or length.',
    (probe) => {
      const second = (other: string | undefined) => {
        const delivery = probe.sign()
        const both = `${other} ${delivery.headers['webhook-signature']}`
        return probe.signThenSet({ 'webhook-signature': both }, delivery)
      }
      return {
        'the second of two': second(probe.forge().headers['webhook-signature']),
        'after one of another version': second('v1a,bm90IG91cnM='),
        'after one of another length': second('v1,AAAA'),
      }
    },
  ),
  {
    name: 'bytes',
    title: 'the bytes are verified, not a parsed body',
    run: async (probe) => {
      const all = `[ ${Object.values(fragments).join(' , ')} ]`
      const together = mustAccept(
        await tryAll(probe, () => ({ 'all together': probe.sign(probe.textWith(all)) })),
        rawBodyHint,
      )
      if (together.state === 'ok') return together
      const tries = await tryAll(probe, () =>
        Object.fromEntries(
          Object.entries(fragments).map(([what, text]) => [what, probe.sign(probe.textWith(text))]),
        ),
      )
      const each = mustAccept(tries, rawBodyHint)
      return each.state === 'ok' ? together : each
    },
  },
  accepts('charset', 'a charset after application/json is accepted', anyTypeHint, (probe) => ({
    'application/json; charset=utf-8': probe.signThenSet({
      'content-type': 'application/json; charset=utf-8',
    }),
  })),
  {
    name: 'content-type',
    title: 'any content type is accepted',
    run: async (probe) => {
      const tries = await tryAll(probe, () => ({
        'application/cloudevents+json': probe.signThenSet({ 'content-type': 'application/cloudevents+json' }),
        'text/plain': probe.signThenSet({ 'content-type': 'text/plain' }),
        none: probe.signThenSet({ 'content-type': undefined }),
      }))
      const refused = tries.filter(({ outcome }) => !isAccepted(outcome))
      if (refused.length === 0) return acceptedWith(tries)
      return (
        unanswered(tries) ??
        note(
          `It refuses valid deliveries of other types than application/json, which Scalekit sends: ${listed(refused)}.`,
          anyTypeHint,
        )
      )
    },
  },
  accepts(
    'large',
    'an event of 150 kB is accepted',
    "Raise the limit of the parser: express.raw({ type: '*/*', limit: '1mb' }). Its default is 100 kB.",
    (probe) => ({ '150 kB': probe.sign(probe.event('x'.repeat(150_000))) }),
  ),
  survivable({
    name: 'oversized',
    title: 'a body of 2 MB is refused, without harm',
    run: async (probe) => oversizedFinding(await probe.post(probe.sign(probe.event('x'.repeat(2_000_000))))),
  }),
  survivable({
    name: 'no-event',
    title: 'a signed body that is not an event does no harm',
    run: async (probe) => {
      const bodies = ['{"type":', 'null', '[]', '"text"', '1', '']
      const tries = await tryAll(probe, () => ({
        ...Object.fromEntries(bodies.map((body) => [body ? `body ${body}` : 'no body', probe.sign(body)])),
        'invalid UTF-8': probe.sign(Buffer.from([0x7b, 0xff, 0x7d])),
      }))
      const silent = withoutAnswer(tries)
      if (silent.length > 0) {
        return wrong(`It does not answer: ${listed(silent)}.`, 'Catch errors of JSON.parse, and answer 400.')
      }
      const failing = tries.filter(({ outcome }) => isServerError(outcome))
      if (failing.length === 0) return ok(`answered with ${shownAll(tries.map(({ outcome }) => outcome))}`)
      return note(
        `It answers with a server error: ${listed(failing)}.`,
        'Check that the parsed body is an object with a type, and answer 400 if it is not.',
      )
    },
  }),
]

function oversizedFinding(outcome: Exchange): Finding {
  if (isAccepted(outcome)) {
    return note(`It reads 2 MB into memory from any sender (${shown(outcome)}).`, limitHint)
  }
  if (outcome.kind === 'answer' && !isServerError(outcome)) return ok(`refused with ${shown(outcome)}`)
  if (outcome.kind === 'no-answer' && outcome.reason === 'late') {
    return wrong('It has not answered within 10 s.', limitHint)
  }
  return note(`It refuses with ${shown(outcome)}. The status 413 would give the reason.`, limitHint)
}
