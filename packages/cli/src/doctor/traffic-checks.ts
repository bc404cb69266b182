import { type Check, isTaken, mustTake, note, ok, shown, wrong } from './finding.ts'
import { tried } from './signature-checks.ts'

const atOnce = 20

export const trafficChecks: Check[] = [
  {
    name: 'again',
    title: 'the same message a second time is accepted',
    run: async (probe) => {
      const event = probe.event()
      const messageId = `msg_${event.id}`
      await probe.deliver(event, { messageId })
      const tries = [await tried('the second time', probe.sign(event, { messageId }), probe)]
      return mustTake(
        tries,
        'Answer 200 to a message that is done: whoever sends it again has missed the first answer.',
      )
    },
  },
  {
    name: 'at-once',
    title: `${atOnce} deliveries at once are accepted`,
    run: async (probe) => {
      const outcomes = await Promise.all(Array.from({ length: atOnce }, () => probe.deliver()))
      const failing = outcomes.filter((outcome) => !isTaken(outcome))
      if (failing.length === 0) return ok(`accepted with ${[...new Set(outcomes.map(shown))].join(', ')}`)
      return wrong(
        `Of ${atOnce} deliveries at once ${failing.length} are not accepted: ${[...new Set(failing.map(shown))].join(', ')}.`,
        'A directory that is imported sends thousands: leave this path out of rate limits, and look at pools and locks.',
      )
    },
  },
  {
    name: 'get',
    title: 'a GET does nothing',
    run: async (probe) => {
      const outcome = await probe.post({ method: 'GET', headers: {}, body: new Uint8Array() })
      if (outcome.kind === 'no-answer') {
        return wrong(`A GET gets ${shown(outcome)}.`, 'Answer 405 or 404 to what is no POST.')
      }
      if (outcome.status >= 400 && outcome.status < 500) return ok(`refused with ${shown(outcome)}`)
      return note(
        `A GET is answered ${shown(outcome)}: a monitor that asks so sees nothing of what a delivery would meet.`,
        'Answer 405 to what is no POST.',
      )
    },
  },
]
