import { type Exchange, outcomeHeader } from '../exchange.ts'
import {
  type Check,
  check,
  type Finding,
  isAccepted,
  isSameAnswer,
  isServerError,
  judge,
  judgeAccepted,
  noAnswer,
  note,
  ok,
  refusal,
  shown,
  shownAll,
  skipped,
  wrong,
} from './check.ts'
import type { Probe } from './probe.ts'
import type { Message, TestUsers } from './test-users.ts'
import { atOnce } from './traffic-checks.ts'

const onceHint =
  'Insert the webhook-id under a unique key in the transaction that does the work. If the webhook-id is already stored, answer 200.'
const upsertHint =
  'Write users as upserts. Treat the deletion of an unknown user as done. Scalekit promises the newest state, but not every event.'

/** The finding for an endpoint that accepts unusable events, because such an endpoint can answer before the work. */
const unusableAccepted = {
  ...note(
    'The endpoint accepts an unusable event, so it possibly answers before the work',
    'Answer after the work. If the work fails after the answer, Scalekit does not send the event again.',
  ),
  isShownBy: isAccepted,
}

/** Returns the checks whose events make the endpoint write users. Always run {@link deletionCheck} afterwards. */
export function writeChecks(users: TestUsers): Check[] {
  const created = users.message('created', 'a', 0)
  let first: Exchange | undefined
  return [
    check('write-create', 'a user is created', async (probe) => {
      first = await users.deliver(probe, created)
      const hint =
        "Find the reason in the application's log. If users need a known customer, give --organization org_…."
      return judgeAccepted({ user_created: first }, hint)
    }),
    check('write-duplicate', 'a duplicate of a done message is not processed again', async (probe) => {
      if (!first || !isAccepted(first)) return skipped('the first message was refused')
      return duplicateFinding(first, await users.deliver(probe, created), () => isKnown(created, probe))
    }),
    check('write-duplicates-at-once', `${atOnce} simultaneous copies of a message do not fail`, (probe) => {
      const message = users.message('created', 'b', 0)
      return copiesFinding(() => users.deliver(probe, message))
    }),
    check('write-stale', 'an update that is older than the last update is accepted', async (probe) => {
      const newer = await users.deliver(probe, users.message('updated', 'a', 20))
      const older = await users.deliver(probe, users.message('updated', 'a', 10))
      if (outcomeHeader(older) === 'processed') {
        return note(
          `The endpoint applies the older update after the newer update (${shown(older)}).`,
          "Set `ordering` to 'resource', which is the default.",
        )
      }
      return judgeAccepted({ 'the newer': newer, 'the older': older }, upsertHint)
    }),
    check('write-unknown', 'an update or a deletion of an unknown user is accepted', async (probe) => {
      const user_updated = await users.deliver(probe, users.message('updated', 'c', 20))
      const user_deleted = await users.deliver(probe, users.message('deleted', 'd', 20))
      return judgeAccepted({ user_updated, user_deleted }, upsertHint)
    }),
    check('write-unusable', 'an event without data is refused', async (probe) => {
      const { event } = users.message('created', 'e', 0)
      const outcome = await probe.deliver({ ...event, data: null })
      return judge({ 'user_created without data': outcome }, [noAnswer(), unusableAccepted], 'refused with')
    }),
  ]
}

export function deletionCheck(users: TestUsers): Check {
  return check('write-delete', 'the endpoint deletes the test users', async (probe) => {
    const uninterrupted = probe.uninterrupted()
    const all: Record<string, Exchange> = {}
    const created: Record<string, Exchange> = {}
    for (const { event, messageId, user, userId } of users.deletions()) {
      const outcome = await uninterrupted.deliver(event, { messageId })
      all[userId] = outcome
      if (users.accepted.has(user)) created[userId] = outcome
    }
    const crashHint =
      "Find the crash or the hang in the application's log. Start the application again, and delete the users by hand."
    const silence = noAnswer(crashHint, 'The endpoint no longer answers, so these test users can remain')
    const refused = refusal(`Delete the users by hand. ${upsertHint}`, 'The endpoint refuses these deletions')
    const finding = judge(all, [silence])
    if (finding.state !== 'ok') return finding
    return users.accepted.size > 0 ? judge(created, [refused]) : ok('no user was created')
  })
}

/** Compares the two answers. The doctor cannot detect whether the endpoint did the work twice. */
async function duplicateFinding(
  first: Exchange,
  second: Exchange,
  isKnown: () => Promise<boolean>,
): Promise<Finding> {
  const failure = 'The endpoint fails on a message that is already done'
  const repeated = judgeAccepted({ 'the message again': second }, onceHint, failure)
  if (repeated.state !== 'ok') return repeated
  const outcome = outcomeHeader(second)
  if (outcome === 'processed')
    return wrong(`The endpoint processed the same message twice (${shown(second)}).`, onceHint)
  if (outcome !== undefined || !isSameAnswer(first, second)) {
    return ok(`${shown(first)}, then ${shown(second)}`)
  }
  if (await isKnown()) return ok('the endpoint recognizes the second message by its id')
  return note(
    `Both answers are the same (${shown(second)}), so the doctor cannot detect whether the endpoint did the work twice.`,
    `${onceHint} If the endpoint already does so, answer a duplicate with another text.`,
  )
}

/**
 * Returns whether the endpoint recognizes the id of a done message. For a done id, such an endpoint accepts an event
 * without data. For a new id, such an endpoint refuses the event.
 */
async function isKnown({ event, messageId }: Message, probe: Probe): Promise<boolean> {
  const broken = { ...event, data: null }
  const known = await probe.deliver(broken, { messageId })
  const unknown = await probe.deliver(broken)
  return isAccepted(known) && unknown.kind === 'answer' && !isAccepted(unknown)
}

async function copiesFinding(deliver: () => Promise<Exchange>): Promise<Finding> {
  const outcomes = await Promise.all(Array.from({ length: atOnce }, deliver))
  const [copy] = outcomes
  if (copy && outcomes.every(({ kind }) => kind === 'no-answer')) {
    return judge({ 'each copy': copy }, [noAnswer()])
  }
  const answers = shownAll(outcomes)
  const failing = outcomes.filter((outcome) => outcome.kind === 'no-answer' || isServerError(outcome))
  if (failing.length > 0) {
    return wrong(
      `The endpoint fails on ${failing.length} of ${atOnce} simultaneous copies of one message: ${answers}.`,
      onceHint,
    )
  }
  const processed = outcomes.filter((outcome) => outcomeHeader(outcome) === 'processed').length
  if (processed > 1) return wrong(`The endpoint processed one message ${processed} times.`, onceHint)
  if (outcomes.every(isAccepted)) return ok(`accepted with ${answers}`)
  // Scalekit later sends a refused copy again, for example after a 409. The endpoint must accept the repeated copy.
  const failure = `After ${atOnce} simultaneous copies of a message, the endpoint refuses the message`
  const after = judgeAccepted({ 'one more copy': await deliver() }, onceHint, failure)
  if (after.state !== 'ok') return after
  return note(
    `The endpoint refuses some of ${atOnce} simultaneous copies (${answers}). Scalekit sends these copies again.`,
    'After the first copy is done, answer each other copy with 200.',
  )
}
