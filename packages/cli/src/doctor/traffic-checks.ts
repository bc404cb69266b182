import { accepts, type Check, check, isAccepted, note, ok, shown, shownAll, wrong } from './check.ts'

/** How many deliveries are sent at once. */
export const atOnce = 20

export const trafficChecks: Check[] = [
  accepts(
    'again',
    'the same message is accepted a second time',
    'Answer 200 to a message that is done. Scalekit sends it again if it missed the first answer.',
    (probe) => {
      const delivery = probe.sign()
      return { 'the first time': delivery, 'the second time': delivery }
    },
  ),
  check('at-once', `${atOnce} deliveries at once are accepted`, async (probe) => {
    const outcomes = await Promise.all(Array.from({ length: atOnce }, () => probe.deliver()))
    const failing = outcomes.filter((outcome) => !isAccepted(outcome))
    if (failing.length === 0) return ok(`accepted with ${shownAll(outcomes)}`)
    return wrong(
      `It does not accept ${failing.length} of ${atOnce} deliveries at once: ${shownAll(failing)}.`,
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
      `It answers a GET with ${shown(outcome)}, so a monitor that sends GET cannot detect a broken endpoint.`,
      'Answer 405 to methods other than POST.',
    )
  }),
]
