import { type Exchange, outcomeHeader } from '../exchange.ts'
import type { Check } from './check.ts'
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
import { isAccepted, isRefused, isServerError, listed, shown, shownAll, type Tried } from './outcomes.ts'
import type { Probe } from './probe.ts'
import type { Message, TestUsers } from './test-users.ts'

const atOnce = 20

const onceHint =
  'Insert the webhook-id under a unique key in the transaction that does the work. Answer 200 if it is already there.'
const upsertHint =
  'Write users as upserts, and treat the deletion of an unknown user as done. Scalekit promises the newest state, not each step.'

/** Returns the checks that write users. Always run {@link deletionCheck} after them. */
export function writeChecks(users: TestUsers): Check[] {
  const created = users.message('created', 'a', 0)
  let first: Exchange | undefined
  return [
    {
      name: 'write-create',
      title: 'a user is created',
      run: async (probe) => {
        first = await users.deliver(probe, created)
        return mustAccept(
          [{ what: 'user_created', outcome: first }],
          'Find the reason in its log. If users need a known customer, name one with --organization org_….',
        )
      },
    },
    {
      name: 'write-duplicate',
      title: 'a message that is done is not done again',
      run: async (probe) => {
        if (!first || !isAccepted(first)) {
          return note('No message was done.', 'Fix the error that prevents the creation of the user.')
        }
        return duplicateFinding(first, await users.deliver(probe, created), () => isKnown(created, probe))
      },
    },
    {
      name: 'write-duplicates-at-once',
      title: `${atOnce} copies of a message at once do not fail`,
      run: (probe) => {
        const message = users.message('created', 'b', 0)
        return copiesFinding(() => users.deliver(probe, message))
      },
    },
    {
      name: 'write-stale',
      title: 'an update that is older than the last one is accepted',
      run: async (probe) => {
        const newer = await users.deliver(probe, users.message('updated', 'a', 20))
        const older = await users.deliver(probe, users.message('updated', 'a', 10))
        if (outcomeHeader(older) === 'processed') {
          return note(
            `It applies the older update over the newer (${shown(older)}).`,
            "Leave `ordering` at 'resource'.",
          )
        }
        const tries = { 'the newer': newer, 'the older': older }
        return mustAccept(triesOf(tries), upsertHint)
      },
    },
    {
      name: 'write-unknown',
      title: 'an update or a deletion of an unknown user is accepted',
      run: async (probe) => {
        const user_updated = await users.deliver(probe, users.message('updated', 'c', 20))
        const user_deleted = await users.deliver(probe, users.message('deleted', 'd', 20))
        return mustAccept(triesOf({ user_updated, user_deleted }), upsertHint)
      },
    },
    {
      name: 'write-unusable',
      title: 'an event without data is refused',
      run: async (probe) => {
        const { event } = users.message('created', 'e', 0)
        return unusableFinding(await probe.deliver({ ...event, data: null }))
      },
    },
  ]
}

export function deletionCheck(users: TestUsers): Check {
  return {
    name: 'write-delete',
    title: 'the test users are deleted again',
    run: async (probe) => {
      const all: Tried[] = []
      for (const { event, messageId, userId } of users.deletions()) {
        all.push({ what: userId, outcome: await probe.deliver(event, { messageId }) })
      }
      const silent = withoutAnswer(all)
      if (silent.length > 0) {
        return wrong(
          `It no longer answers, so these test users may be left: ${listed(silent)}.`,
          "Find the crash or the hang in the application's log. Start the application again, and delete the users by hand.",
        )
      }
      const tries = all.filter(({ what }) => users.wasAccepted(what))
      if (tries.length === 0) return ok('no user was created')
      const left = tries.filter(({ outcome }) => !isAccepted(outcome))
      if (left.length === 0) return acceptedWith(tries)
      return wrong(`It refuses to delete ${listed(left)}.`, `Delete them by hand. ${upsertHint}`)
    },
  }
}

function triesOf(outcomes: Readonly<Record<string, Exchange>>): Tried[] {
  return Object.entries(outcomes).map(([what, outcome]) => ({ what, outcome }))
}

/** An endpoint that answers before it does the work also accepts events that it cannot use. */
function unusableFinding(outcome: Exchange): Finding {
  const silence = unanswered(triesOf({ 'user_created without data': outcome }))
  if (silence) return silence
  if (!isAccepted(outcome)) return ok(`refused with ${shown(outcome)}`)
  return note(
    `It accepts a user_created without data (${shown(outcome)}), so it may answer before it works.`,
    'Answer after the work. Scalekit does not send an event again if its work fails after the answer.',
  )
}

/** The doctor can see failures and different answers. It cannot see whether the work was done twice. */
async function duplicateFinding(
  first: Exchange,
  second: Exchange,
  isKnown: () => Promise<boolean>,
): Promise<Finding> {
  const silence = unanswered(triesOf({ 'the message again': second }))
  if (silence) return silence
  if (!isAccepted(second)) {
    return wrong(
      `It fails on a message that it has done (${shown(second)}). Scalekit sends one again if it missed the first answer.`,
      onceHint,
    )
  }
  const outcome = outcomeHeader(second)
  if (outcome === 'processed') return wrong(`It did the same message twice (${shown(second)}).`, onceHint)
  if (outcome !== undefined || isDifferent(first, second)) return ok(`${shown(first)}, then ${shown(second)}`)
  if (await isKnown()) return ok('the second is recognized by its id')
  return note(
    `Both answers are the same (${shown(second)}), so the doctor cannot tell whether the work was done twice.`,
    `${onceHint} If you do, answer a duplicate with another text.`,
  )
}

function isDifferent(first: Exchange, second: Exchange): boolean {
  return (
    first.kind === 'answer' &&
    second.kind === 'answer' &&
    (first.status !== second.status || first.body !== second.body)
  )
}

/**
 * Returns whether the endpoint recognizes the id of a done message. If so, it accepts an event without data with that
 * id, and refuses the same event with a new id.
 */
async function isKnown({ event, messageId }: Message, probe: Probe): Promise<boolean> {
  const broken = { ...event, data: null }
  const known = await probe.deliver(broken, { messageId })
  return isAccepted(known) && isRefused(await probe.deliver(broken))
}

async function copiesFinding(deliver: () => Promise<Exchange>): Promise<Finding> {
  const outcomes = await Promise.all(Array.from({ length: atOnce }, deliver))
  const silence = unanswered(outcomes.map((outcome) => ({ what: 'a copy', outcome })))
  if (silence && outcomes.every(({ kind }) => kind === 'no-answer')) return silence
  const answers = shownAll(outcomes)
  const failing = outcomes.filter((outcome) => outcome.kind === 'no-answer' || isServerError(outcome))
  if (failing.length > 0) {
    return wrong(
      `It fails on ${failing.length} of ${atOnce} copies of one message at once: ${answers}.`,
      onceHint,
    )
  }
  const processed = outcomes.filter((outcome) => outcomeHeader(outcome) === 'processed').length
  if (processed > 1) return wrong(`It did one message ${processed} times.`, onceHint)
  if (outcomes.every(isAccepted)) return ok(`accepted with ${answers}`)
  // Scalekit later sends a refused copy again, for example after a 409. The endpoint must then accept the copy.
  const after = await deliver()
  const silenceAfter = unanswered(triesOf({ 'one more copy': after }))
  if (silenceAfter) return silenceAfter
  if (!isAccepted(after)) {
    return wrong(
      `After ${atOnce} copies of a message at once, it still refuses the message (${shown(after)}).`,
      onceHint,
    )
  }
  return note(
    `It refuses some of ${atOnce} copies at once (${answers}). Scalekit sends those again.`,
    'Let a copy wait for the first one, and answer it with 200.',
  )
}
