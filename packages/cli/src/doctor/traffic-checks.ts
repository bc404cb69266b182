import { accepts, type Check, check, isAccepted, note, ok, shown, shownAll, wrong } from './check.ts'

/** The number of simultaneous deliveries. */
export const atOnce = 20

export const trafficChecks: Check[] = [
  accepts(
    'again',
    'the same message is accepted a second time',
    'Answer 200 to a message that is done. If Scalekit missed the first answer, Scalekit sends the message again.',
    (probe) => {
      const delivery = probe.sign()
      return { 'the first time': delivery, 'the second time': delivery }
    },
  ),
  check('at-once', `${atOnce} simultaneous deliveries are accepted`, async (probe) => {
    const outcomes = await Promise.all(Array.from({ length: atOnce }, () => probe.deliver()))
    const failing = outcomes.filter((outcome) => !isAccepted(outcome))
    if (failing.length === 0) return ok(`accepted with ${shownAll(outcomes)}`)
    return wrong(
      `The endpoint does not accept ${failing.length} of ${atOnce} simultaneous deliveries: ${shownAll(failing)}.`,
      'The import of a directory sends thousands of events. Exclude this path from rate limits, and check connection pools and locks.',
    )
  }),
  check('get', 'a GET is refused', async (probe) => {
    const outcome = await probe.post({ method: 'GET', headers: {}, body: new Uint8Array() })
    if (outcome.kind === 'no-answer') {
      return wrong(`A GET gets ${shown(outcome)}.`, 'Answer 405 or 404 to methods other than POST.')
    }
    if (outcome.status >= 400 && outcome.status < 500) return ok(`refused with ${shown(outcome)}`)
    return note(
      `The endpoint answers a GET with ${shown(outcome)}, so a monitor that sends GET cannot detect a broken endpoint.`,
      'Answer 405 to methods other than POST.',
    )
  }),
]
