import type { Answer, Exchange, NoAnswer } from '../exchange.ts'
import { isDelivered, outcomeHeader } from '../exchange.ts'
import { type Finding, isLimited, isTaken, note, ok, rateLimited, shown, wrong } from './finding.ts'
import { type Probe, someSecret } from './probe.ts'

export const rawBody =
  "Verify the bytes as they came, and JSON.parse them after: app.post(path, express.raw({ type: '*/*', limit: '1mb' }), …), before app.use(express.json())."

/** A valid delivery of an event that nobody handles, and what its answer says. */
export interface FirstContact {
  outcome: Exchange
  accepts: Finding
  status: Finding
}

export async function firstContact(probe: Probe): Promise<FirstContact> {
  const outcome = await probe.deliver()
  const accepts = isTaken(outcome) ? ok(shown(outcome)) : await refusalOf(outcome, probe)
  return { outcome, accepts, status: statusOf(outcome) }
}

function statusOf(outcome: Exchange): Finding {
  if (isDelivered(outcome)) return ok(shown(outcome))
  return wrong(
    `It answers ${shown(outcome)}, and Scalekit counts only 200 and 201: it would send each event again for hours, and then report it as failed.`,
    'Answer 200 or 201 once the work is done: await work(event); res.status(201).json({ ok: true }).',
  )
}

async function refusalOf(outcome: Exchange, probe: Probe): Promise<Finding> {
  if (outcome.kind === 'no-answer') return silenceOf(outcome)
  if (isLimited(outcome)) return rateLimited
  if (outcome.status < 300 || outcome.status >= 500) return failureOf(outcome)
  if (outcome.status < 400) {
    return wrong(
      `It redirects (${shown(outcome)}), and Scalekit counts that as a failure.`,
      'Give Scalekit the address that the redirect leads to: mind https, www and a slash at the end.',
    )
  }
  const forged = await probe.deliver(undefined, { secret: someSecret() })
  if (!isSameAnswer(outcome, forged)) {
    return wrong(
      `It refuses an event of a type that it does not know (${shown(outcome)}), so Scalekit would send each of them again for hours.`,
      'Answer 200 to types that you do not handle: Scalekit has 41, and adds more.',
    )
  }
  if ([401, 403, 404, 405].includes(outcome.status)) return routeOf(outcome)
  return wrong(
    `It refuses a valid delivery (${shown(outcome)}).`,
    `Is --secret the secret of this very endpoint? If it is: ${rawBody}`,
  )
}

function silenceOf({ reason, detail }: NoAnswer): Finding {
  if (reason === 'late') {
    return wrong(
      'It has not answered within 10 s, when Scalekit gives up and tries again.',
      'Answer each request, also where the type is unknown or something throws; put long work on a durable queue.',
    )
  }
  if (reason === 'no-http') {
    return wrong(
      `What it answers is ${detail}.`,
      'Give the address of the application: at this one something else listens, or what it sends is cut up on the way.',
    )
  }
  return wrong(
    `The connection ended without an answer (${detail}).`,
    'See the application’s log: it, or a proxy before it, ends the connection. Where TLS is spoken, give an https address.',
  )
}

function failureOf(outcome: Answer): Finding {
  if (outcomeHeader(outcome) === 'body-consumed') {
    return wrong(
      'A body parser has read the request before scalekitScim could (500 body-consumed).',
      'Mount scalekitScim before express.json().',
    )
  }
  return wrong(
    `It fails on a valid delivery of an event that it does not know (${shown(outcome)}).`,
    'See its log: a body parser that ran first, a signing secret that is missing, or a handler that stumbles over unknown types. Answer 200 to those.',
  )
}

function routeOf(outcome: Answer): Finding {
  return outcome.status === 401 || outcome.status === 403
    ? wrong(
        `Something asks for credentials before the signature is looked at (${shown(outcome)}).`,
        'Let this one path pass your login, CSRF protection and firewall: the signature is its authentication.',
      )
    : wrong(
        `Nothing answers POST at this address (${shown(outcome)}).`,
        'Give the whole path, mount and all, and mount the route before whatever answers 404.',
      )
}

function isSameAnswer(one: Exchange, other: Exchange): boolean {
  return (
    one.kind === 'answer' && other.kind === 'answer' && one.status === other.status && one.body === other.body
  )
}

export function timeFinding({ slowestMs }: Probe): Finding {
  const seconds = (slowestMs / 1000).toFixed(1)
  if (slowestMs < 5000) return ok(`the slowest answer took ${slowestMs} ms`)
  return note(
    `The slowest answer took ${seconds} s, and Scalekit waits for 10.`,
    'Put long work on a durable queue, with the webhook-id as the id of the job, and answer once it is there.',
  )
}
