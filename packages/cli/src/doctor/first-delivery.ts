import { type Answer, type Exchange, isDelivered, type NoAnswer, outcomeHeader } from '../exchange.ts'
import { type Check, check, type Finding, isAccepted, isSameAnswer, note, ok, shown, wrong } from './check.ts'
import type { Probe } from './probe.ts'

export const rawBodyHint =
  "Verify the bytes before JSON.parse: app.post(path, express.raw({ type: '*/*', limit: '1mb' }), …), before app.use(express.json())."

export const statusCheck = (first: Exchange): Check =>
  check('status', 'it answers 200 or 201', () =>
    isDelivered(first)
      ? ok(shown(first))
      : wrong(
          `It answers ${shown(first)}. Scalekit counts only 200 and 201 as delivered. It sends each event again for hours, and then reports a failure.`,
          'Answer 200 or 201 when the work is done: await work(event); res.status(201).json({ ok: true }).',
        ),
  )

export async function validFinding(outcome: Exchange, probe: Probe): Promise<Finding> {
  if (isAccepted(outcome)) return ok(shown(outcome))
  if (outcome.kind === 'no-answer') return silenceFinding(outcome)
  if (outcome.status < 300 || outcome.status >= 500) return failureFinding(outcome)
  if (outcome.status < 400) {
    return wrong(
      `It redirects (${shown(outcome)}), which Scalekit counts as a failure.`,
      'Give Scalekit the target of the redirect. Check https, www and the slash at the end.',
    )
  }
  if (!isSameAnswer(outcome, await probe.post(probe.forge()))) {
    return wrong(
      `It refuses an event of an unknown type (${shown(outcome)}), so Scalekit sends such events again for hours.`,
      'Answer 200 to types that you do not handle. Scalekit has 41 types, and adds more.',
    )
  }
  if (outcome.status === 401 || outcome.status === 403) {
    return wrong(
      `It requires credentials before it checks the signature (${shown(outcome)}).`,
      'Exclude this path from your login, CSRF protection and firewall. The signature authenticates the sender.',
    )
  }
  if (outcome.status === 404 || outcome.status === 405) {
    return wrong(
      `No route answers POST at this address (${shown(outcome)}).`,
      'Give the full path, including the mount path. Mount the route before the handler that answers 404.',
    )
  }
  return wrong(
    `It refuses a valid delivery (${shown(outcome)}).`,
    `Check that --secret is the secret of this endpoint. If it is: ${rawBodyHint}`,
  )
}

function silenceFinding({ reason, detail }: NoAnswer): Finding {
  if (reason === 'late') {
    return wrong(
      'It has not answered within 10 s. Scalekit stops waiting then, and sends the event again.',
      'Answer each request, including unknown types and failures. Put long work on a durable queue.',
    )
  }
  if (reason === 'no-http') {
    return wrong(
      `The answer is ${detail}.`,
      'Give the address of the application. Another server listens at the given address, or a proxy breaks the answers.',
    )
  }
  return wrong(
    `The connection ended without an answer (${detail}).`,
    'Find the reason in the log of the application or the proxy. If the port expects TLS, give an https address.',
  )
}

function failureFinding(outcome: Answer): Finding {
  if (outcomeHeader(outcome) === 'body-consumed') {
    return wrong(
      'A body parser has read the request before scalekitScim (500 body-consumed).',
      'Mount scalekitScim before express.json().',
    )
  }
  return wrong(
    `It fails on a valid delivery of an event of an unknown type (${shown(outcome)}).`,
    "Look for the error in the application's log. Usual causes are a body parser that ran first, a missing signing secret, and a handler that fails on unknown types. Answer 200 to unknown types.",
  )
}

/** Reads the slowest answer, so it is the last check. */
export const timeCheck = check('time', 'it answers well within 10 s', ({ slowestMs }) =>
  slowestMs < 5000
    ? ok(`the slowest answer took ${slowestMs} ms`)
    : note(
        `The slowest answer took ${(slowestMs / 1000).toFixed(1)} s. Scalekit waits 10 s.`,
        'Put long work on a durable queue with the webhook-id as the job id, and answer when the job is stored.',
      ),
)
