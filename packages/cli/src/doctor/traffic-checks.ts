import { type Check, tryAll } from './check.ts'
import { mustAccept, note, ok, wrong } from './finding.ts'
import { isAccepted, shown, shownAll } from './outcomes.ts'

const atOnce = 20

export const trafficChecks: Check[] = [
  {
    name: 'again',
    title: 'the same message is accepted a second time',
    run: async (probe) => {
      const event = probe.event()
      const messageId = `msg_${event.id}`
      await probe.deliver(event, { messageId })
      return mustAccept(
        await tryAll(probe, () => ({ 'the second time': probe.sign(event, { messageId }) })),
        'Answer 200 to a message that is done. Scalekit sends it again if it missed the first answer.',
      )
    },
  },
  {
    name: 'at-once',
    title: `${atOnce} deliveries at once are accepted`,
    run: async (probe) => {
      const outcomes = await Promise.all(Array.from({ length: atOnce }, () => probe.deliver()))
      const failing = outcomes.filter((outcome) => !isAccepted(outcome))
      if (failing.length === 0) return ok(`accepted with ${shownAll(outcomes)}`)
      return wrong(
        `It does not accept ${failing.length} of ${atOnce} deliveries at once: ${shownAll(failing)}.`,
        'The import of a directory sends thousands of events. Exclude this path from rate limits, and check connection pools and locks.',
      )
    },
  },
  {
    name: 'get',
    title: 'a GET is refused',
    run: async (probe) => {
      const outcome = await probe.post({ method: 'GET', headers: {}, body: new Uint8Array() })
      if (outcome.kind === 'no-answer') {
        return wrong(`A GET gets ${shown(outcome)}.`, 'Answer 405 or 404 to other methods than POST.')
      }
      if (outcome.status >= 400 && outcome.status < 500) return ok(`refused with ${shown(outcome)}`)
      return note(
        `It answers a GET with ${shown(outcome)}, so a monitor that sends GET does not see what deliveries see.`,
        'Answer 405 to other methods than POST.',
      )
    },
  },
]
