import { type Exchange, isDelivered, outcomeHeader } from '../exchange.ts'
import { type Check, check, type Finding, isAccepted, isSameAnswer, note, ok, shown, wrong } from './check.ts'
import type { Probe } from './probe.ts'

export const rawBodyHint =
  "Verify the bytes before JSON.parse. Register app.post(path, express.raw({ type: '*/*', limit: '1mb' }), …) before app.use(express.json())."

export const statusCheck = (first: Exchange): Check =>
  check('status', 'the endpoint answers 200 or 201', () =>
    isDelivered(first)
      ? ok(shown(first))
      : wrong(
          `The endpoint answers ${shown(first)}. Scalekit counts only 200 and 201 as delivered. After other answers, Scalekit sends each event again for hours, and then reports a failure.`,
          'After the work, answer 200 or 201: await work(event); res.status(201).json({ ok: true }).',
        ),
  )

export async function validFinding(outcome: Exchange, probe: Probe): Promise<Finding> {
  if (isAccepted(outcome)) return ok(shown(outcome))
  const problem = problems(outcome.kind === 'answer' ? shown(outcome) : outcome.detail)
  if (outcome.kind === 'no-answer') {
    return problem[outcome.reason === 'no-connection' ? 'cut' : outcome.reason]
  }
  const { status } = outcome
  if (outcomeHeader(outcome) === 'body-consumed') return problem.bodyConsumed
  if (status < 300 || status >= 500) return problem.failure
  if (status < 400) return problem.redirect
  if (!isSameAnswer(outcome, await probe.post(probe.forge()))) return problem.unknownType
  if (status === 401 || status === 403) return problem.login
  if (status === 404 || status === 405) return problem.noRoute
  return problem.refusal
}

/** The reasons why an endpoint does not accept a valid delivery. */
const problems = (answer: string) => ({
  late: wrong(
    'The endpoint has not answered within 10 s. After 10 s, Scalekit stops waiting, and sends the event again.',
    'Answer each request, including unknown types and failures. Put long work on a durable queue.',
  ),
  'no-http': wrong(
    `The answer is ${answer}.`,
    'Give the address of the application. Either another server listens at the given address, or a proxy breaks the answers.',
  ),
  cut: wrong(
    `The connection ended without an answer (${answer}).`,
    'Find the reason in the log of the application or the proxy. If the port expects TLS, give an https address.',
  ),
  bodyConsumed: wrong(
    'A body parser has read the request before scalekitScim (500 body-consumed).',
    'Mount scalekitScim before express.json().',
  ),
  failure: wrong(
    `The endpoint fails on a valid delivery with an unknown event type (${answer}).`,
    "Look for the error in the application's log. Usual causes are a body parser that ran first, a missing signing secret, and a handler that fails on unknown types. Answer 200 to unknown types.",
  ),
  redirect: wrong(
    `The endpoint redirects (${answer}), which Scalekit counts as a failure.`,
    'Give Scalekit the target of the redirect. Check https, www and the slash at the end.',
  ),
  unknownType: wrong(
    `The endpoint refuses an event of an unknown type (${answer}), so Scalekit sends such events again for hours.`,
    'Answer 200 to types that you do not handle. Scalekit can add to its 41 types.',
  ),
  login: wrong(
    `The endpoint requires credentials before it checks the signature (${answer}).`,
    'Exclude this path from your login, CSRF protection and firewall. The signature authenticates the sender.',
  ),
  noRoute: wrong(
    `No route answers POST at this address (${answer}).`,
    'Give the full path, including the mount path. Mount the route before the handler that answers 404.',
  ),
  refusal: wrong(
    `The endpoint refuses a valid delivery (${answer}).`,
    `Check that --secret is the secret of this endpoint. If the secret is right: ${rawBodyHint}`,
  ),
})

/** The check of the slowest answer. Run this check last. */
export const timeCheck = check('time', 'the endpoint answers well within 10 s', ({ slowestMs }) =>
  slowestMs < 5000
    ? ok(`the slowest answer took ${slowestMs} ms`)
    : note(
        `The slowest answer took ${(slowestMs / 1000).toFixed(1)} s. Scalekit waits 10 s.`,
        'Put long work on a durable queue with the webhook-id as the job id, and answer after the queue has stored the job.',
      ),
)
