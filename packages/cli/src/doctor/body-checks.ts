import type { Exchange } from '../exchange.ts'
import {
  type Check,
  type Finding,
  isServerError,
  isTaken,
  listed,
  mustTake,
  note,
  ok,
  shown,
  shownAll,
  unanswered,
  withAliveness,
  wrong,
} from './finding.ts'
import { withHeaders } from './probe.ts'
import { bytesCheck, tried } from './signature-checks.ts'

const parserLimit =
  "Raise the parser's limit: express.raw({ type: '*/*', limit: '1mb' }); its default is 100 kB."
const anyType = "Take the bytes whatever their type is called: express.raw({ type: '*/*' })."

export const bodyChecks: Check[] = [
  bytesCheck,
  {
    name: 'charset',
    title: 'a charset behind application/json does not matter',
    run: async (probe) => {
      const request = withHeaders(probe.sign(), { 'content-type': 'application/json; charset=utf-8' })
      return mustTake([await tried('application/json; charset=utf-8', request, probe)], anyType)
    },
  },
  {
    name: 'content-type',
    title: 'the content type does not matter',
    run: async (probe) => {
      const tries = []
      for (const type of ['application/cloudevents+json', 'text/plain', undefined]) {
        const request = withHeaders(probe.sign(), { 'content-type': type })
        tries.push(await tried(type ?? 'none', request, probe))
      }
      const refused = tries.filter(({ outcome }) => !isTaken(outcome))
      if (refused.length === 0) return ok(`accepted with ${shownAll(tries)}`)
      const silence = unanswered(tries)
      if (silence) return silence
      return note(
        `Scalekit sends application/json; what bears another type is refused, though it verifies: ${listed(refused)}.`,
        anyType,
      )
    },
  },
  {
    name: 'large',
    title: 'an event of 150 kB is accepted',
    run: async (probe) =>
      mustTake([await tried('150 kB', probe.sign(probe.event('x'.repeat(150_000))), probe)], parserLimit),
  },
  {
    name: 'oversized',
    title: 'a body of 2 MB is refused, and harms nothing',
    run: async (probe) => {
      const outcome = await probe.post(probe.sign(probe.event('x'.repeat(2_000_000))))
      return withAliveness(probe, oversizedFinding(outcome))
    },
  },
  {
    name: 'no-event',
    title: 'a signed body that is no event harms nothing',
    run: async (probe) => {
      const tries = []
      for (const body of ['{"type":', 'null', '[]', '"text"', '1', '']) {
        tries.push(await tried(body || 'nothing', probe.sign(body), probe))
      }
      tries.push(await tried('invalid UTF-8', probe.sign(Buffer.from([0x7b, 0xff, 0x7d])), probe))
      const unanswered = tries.filter(({ outcome }) => outcome.kind === 'no-answer')
      if (unanswered.length > 0) {
        return withAliveness(
          probe,
          wrong(
            `It does not answer: ${listed(unanswered)}.`,
            'Catch what JSON.parse throws, and answer 400.',
          ),
        )
      }
      const failing = tries.filter(({ outcome }) => isServerError(outcome))
      const finding =
        failing.length > 0
          ? note(
              `It fails: ${listed(failing)}.`,
              'Check that the parsed body is an object with a type, and answer 400 where it is not.',
            )
          : ok(`answered with ${shownAll(tries)}`)
      return withAliveness(probe, finding)
    },
  },
]

function oversizedFinding(outcome: Exchange): Finding {
  const limit = "Set a limit: express.raw({ type: '*/*', limit: '1mb' }). An event is a few kB."
  if (isTaken(outcome)) return note(`It takes 2 MB into memory, as of anybody (${shown(outcome)}).`, limit)
  if (outcome.kind === 'answer' && !isServerError(outcome)) return ok(`refused with ${shown(outcome)}`)
  if (outcome.kind === 'no-answer' && outcome.reason === 'late') {
    return wrong('It has not answered within 10 s.', limit)
  }
  return note(`It refuses it with ${shown(outcome)}, where 413 would tell the sender why.`, limit)
}
