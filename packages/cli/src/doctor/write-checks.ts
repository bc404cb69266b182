import { type Exchange, outcomeHeader } from '../exchange.ts'
import {
  type Check,
  type Finding,
  isRefused,
  isServerError,
  isTaken,
  listed,
  mustTake,
  note,
  ok,
  shown,
  shownAll,
  type Tried,
  unanswered,
  wrong,
} from './finding.ts'
import type { MarkedPeople, Message } from './marked-people.ts'
import type { Probe } from './probe.ts'

const atOnce = 20

const onceOnly =
  'Insert the webhook-id under a unique key in the transaction that does the work, and answer 200 where it is there already.'
const upsert =
  'Write users as upserts, and take a deletion of somebody unknown for done: what is promised is the newest state, not each step to it.'

/** The checks that write. Whoever runs them runs {@link deletionCheck} after them, whatever became of them. */
export function writeChecks(people: MarkedPeople): Check[] {
  const created = people.message('created', 'a', 0)
  let first: Exchange | undefined
  return [
    {
      name: 'write-create',
      title: 'a user is created',
      run: async (probe) => {
        first = await people.deliver(probe, created)
        return mustTake(
          [{ what: 'user_created', outcome: first }],
          'See its log. Where users need a customer that it knows, name one with --organization org_….',
        )
      },
    },
    {
      name: 'write-duplicate',
      title: 'a message that is done is not done again',
      run: async (probe) => {
        if (!first || !isTaken(first)) {
          return note('There is no message that is done.', 'Mend what keeps the user from being created.')
        }
        return duplicateFinding(first, await people.deliver(probe, created), () =>
          isKnownByItsId(created, probe),
        )
      },
    },
    {
      name: 'write-duplicates-at-once',
      title: `of ${atOnce} copies of a message at once none fails`,
      run: (probe) => {
        const message = people.message('created', 'b', 0)
        return copiesFinding(() => people.deliver(probe, message))
      },
    },
    {
      name: 'write-stale',
      title: 'an update that has been overtaken is accepted',
      run: async (probe) => {
        const newer = await people.deliver(probe, people.message('updated', 'a', 20))
        const older = await people.deliver(probe, people.message('updated', 'a', 10))
        if (outcomeHeader(older) === 'processed') {
          return note(
            `It applies the older update over the newer (${shown(older)}).`,
            "Leave `ordering` at 'resource'.",
          )
        }
        const tries = [
          { what: 'the newer', outcome: newer },
          { what: 'the older', outcome: older },
        ]
        return mustTake(tries, upsert)
      },
    },
    {
      name: 'write-unknown',
      title: 'an update or a deletion of somebody unknown is accepted',
      run: async (probe) => {
        const updated = await people.deliver(probe, people.message('updated', 'c', 20))
        const deleted = await people.deliver(probe, people.message('deleted', 'd', 20))
        const tries = [
          { what: 'user_updated', outcome: updated },
          { what: 'user_deleted', outcome: deleted },
        ]
        return mustTake(tries, upsert)
      },
    },
    {
      name: 'write-unusable',
      title: 'an event that cannot be worked on is refused',
      run: async (probe) => {
        const { event } = people.message('created', 'e', 0)
        return unusableFinding(await probe.deliver({ ...event, data: null }))
      },
    },
  ]
}

export function deletionCheck(people: MarkedPeople): Check {
  return {
    name: 'write-delete',
    title: 'the marked users are deleted again',
    run: async (probe) => {
      const all: Tried[] = []
      for (const { event, messageId, userId } of people.deletions()) {
        all.push({ what: userId, outcome: await probe.deliver(event, { messageId }) })
      }
      // Also those whose creation was not accepted: it may have been written all the same.
      const silent = all.filter(({ outcome }) => outcome.kind === 'no-answer')
      if (silent.length > 0) {
        return wrong(
          `It does not answer any more, so these marked users may be left: ${listed(silent)}.`,
          'See its log for why it crashed or hangs. Start it again, and delete them by hand.',
        )
      }
      const tries = all.filter(({ what }) => people.isMade(what))
      if (tries.length === 0) return ok('none was made')
      const left = tries.filter(({ outcome }) => !isTaken(outcome))
      if (left.length === 0) return ok(`accepted with ${shownAll(tries)}`)
      return wrong(`It refuses to delete ${listed(left)}.`, `Delete them by hand. ${upsert}`)
    },
  }
}

/** An answer that comes before the work is good, whatever becomes of it. */
function unusableFinding(outcome: Exchange): Finding {
  const silence = unanswered([{ what: 'user_created without data', outcome }])
  if (silence) return silence
  if (!isTaken(outcome)) return ok(`refused with ${shown(outcome)}`)
  return note(
    `It accepts a user_created that says nothing of a user (${shown(outcome)}): does it answer before it works?`,
    'Await the work and then answer: what fails after the answer is lost, for Scalekit does not send it again.',
  )
}

/** Whether it ran once cannot be seen from outside; failures can, and answers that tell the two apart. */
async function duplicateFinding(
  first: Exchange,
  second: Exchange,
  isKnown: () => Promise<boolean>,
): Promise<Finding> {
  const silence = unanswered([{ what: 'the message again', outcome: second }])
  if (silence) return silence
  if (!isTaken(second)) {
    return wrong(
      `It fails on a message that it has done (${shown(second)}), as when Scalekit has missed the first answer.`,
      onceOnly,
    )
  }
  const outcome = outcomeHeader(second)
  if (outcome === 'processed')
    return wrong(`It has done the same message twice (${shown(second)}).`, onceOnly)
  if (outcome !== undefined || isTold(first, second)) return ok(`${shown(first)}, then ${shown(second)}`)
  if (await isKnown()) return ok('known by its id')
  return note(
    `Both times the answer is the same (${shown(second)}), so that nobody can tell whether the work was done twice.`,
    `${onceOnly} Where you do: answer the duplicate in other words, so that it shows.`,
  )
}

function isTold(first: Exchange, second: Exchange): boolean {
  return (
    first.kind === 'answer' &&
    second.kind === 'answer' &&
    (first.status !== second.status || first.body !== second.body)
  )
}

/** An event that cannot be worked on is refused when it is new; under the id of one that is done it is not looked at. */
async function isKnownByItsId({ event, messageId }: Message, probe: Probe): Promise<boolean> {
  const broken = { ...event, data: null }
  const known = await probe.deliver(broken, { messageId })
  const fresh = await probe.deliver(broken)
  return isTaken(known) && isRefused(fresh)
}

async function copiesFinding(deliver: () => Promise<Exchange>): Promise<Finding> {
  const outcomes = await Promise.all(Array.from({ length: atOnce }, deliver))
  const silence = unanswered(outcomes.map((outcome) => ({ what: 'a copy', outcome })))
  if (silence && outcomes.every(({ kind }) => kind === 'no-answer')) return silence
  const answers = [...new Set(outcomes.map(shown))].join(', ')
  const failing = outcomes.filter((outcome) => outcome.kind === 'no-answer' || isServerError(outcome))
  if (failing.length > 0) {
    return wrong(`Of ${atOnce} copies of one message at once ${failing.length} fail: ${answers}.`, onceOnly)
  }
  const processed = outcomes.filter((outcome) => outcomeHeader(outcome) === 'processed').length
  if (processed > 1) return wrong(`It has done one message ${processed} times.`, onceOnly)
  if (outcomes.every(isTaken)) return ok(`accepted with ${answers}`)
  // Who is told to come again, as by a 409, has to find it done then.
  const after = await deliver()
  const silenceAfter = unanswered([{ what: 'one more copy', outcome: after }])
  if (silenceAfter) return silenceAfter
  if (!isTaken(after)) {
    return wrong(
      `A message of which ${atOnce} copies came at once stays refused (${shown(after)}).`,
      onceOnly,
    )
  }
  return note(
    `Of ${atOnce} copies at once some are refused (${answers}), and Scalekit sends those again.`,
    'Let a copy wait for the first one, and answer it 200.',
  )
}
