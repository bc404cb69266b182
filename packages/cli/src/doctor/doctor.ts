import { parseEndpoint, secretFrom, shownAddress } from '../endpoint.ts'
import type { Exchange } from '../exchange.ts'
import { exitCodes, Failure, noConnection } from '../failures.ts'
import { interruption, say, sayJson, styled } from '../terminal.ts'
import { bodyChecks } from './body-checks.ts'
import { type Check, type Finding, isAccepted, skipped, wrong } from './check.ts'
import { statusCheck, timeCheck, validFinding } from './first-delivery.ts'
import { Probe } from './probe.ts'
import { forgeryChecks } from './signature-checks.ts'
import { TestUsers } from './test-users.ts'
import { trafficChecks } from './traffic-checks.ts'
import { deletionCheck, writeChecks } from './write-checks.ts'

export interface DoctorOptions {
  secret?: string
  write?: boolean
  organization: string
  json?: boolean
}

interface Result extends Finding {
  check: string
  title: string
}

/** The command `doctor`, which runs all checks, one after another. */
export async function doctor(address: string, options: DoctorOptions): Promise<void> {
  const { json = false, write = false, organization } = options
  const endpoint = parseEndpoint(address)
  const url = shownAddress(endpoint)
  const probe = new Probe(endpoint, secretFrom(options.secret), interruption())
  const results: Result[] = []
  const counts = { ok: 0, wrong: 0, note: 0, skipped: 0 }

  if (!json) say(`${url}\n`)
  for await (const [{ name, title }, finding] of examine(probe, url, write ? organization : undefined)) {
    const isRepeated = finding === rateLimited && results.some(({ detail }) => detail === finding.detail)
    const shown = isRepeated ? skipped('a rate limit answered (429)') : finding
    const result = { check: name, title, ...shown }
    results.push(result)
    counts[result.state]++
    if (!json) say(row(result))
  }
  const { wrong, note: notes } = counts
  if (json) sayJson({ url, write, good: wrong === 0, wrong, notes, checks: results })
  else say(summary(counts))
  if (probe.isInterrupted) throw new Failure('Interrupted: not all checks have run.', exitCodes.interrupted)
  if (wrong > 0) process.exitCode = exitCodes.refused
}

/** Runs all checks. With an organization, also runs the write checks. */
async function* examine(
  probe: Probe,
  url: string,
  organization?: string,
): AsyncGenerator<[Pick<Check, 'name' | 'title'>, Finding]> {
  // The event has a type that no application handles.
  const first = await probe.deliver()
  if (first.kind === 'no-answer' && first.reason === 'no-connection') throw noConnection(url, first.detail)
  probe.acceptsValid = isAccepted(first)
  const valid = { name: 'valid', title: 'a valid delivery is accepted' }
  yield [valid, first.status === 429 ? rateLimited : await validFinding(first, probe)]

  const users = organization === undefined ? undefined : new TestUsers(organization)
  const checks = [...forgeryChecks, ...bodyChecks, ...trafficChecks, ...(users ? writeChecks(users) : [])]
  for (const check of [statusCheck(first), ...checks]) {
    const finding = await findingOf(check, probe, first)
    if (probe.isInterrupted) break
    yield [check, finding]
  }
  // The last checks also run after an interruption or a crash.
  for (const check of users ? [deletionCheck(users), timeCheck] : [timeCheck]) {
    if (probe.acceptsValid) yield [check, await check.run(probe)]
  }
}

async function findingOf(check: Check, probe: Probe, first: Exchange): Promise<Finding> {
  if (first.kind === 'no-answer') return skipped('the endpoint does not answer')
  if (probe.isGone) return skipped('the endpoint no longer accepts connections')
  const isForgery = forgeryChecks.includes(check)
  const blind = skipped('not checked, because the endpoint refuses valid deliveries')
  if (!probe.acceptsValid && !isForgery) return blind
  probe.isLimited = false
  const finding = await check.run(probe)
  // Always reports an endpoint that accepts forged deliveries, even if the endpoint refuses valid deliveries.
  if (isForgery && finding.state === 'wrong') return finding
  if (!probe.acceptsValid) return blind
  // A 429 from a rate limit shows nothing about the endpoint. In particular, a 429 does not show that the endpoint
  // refuses forged deliveries.
  return probe.isLimited && check.name !== 'at-once' ? rateLimited : finding
}

const rateLimited = wrong(
  'A rate limit answers with 429, which Scalekit counts as a failure. The 429 hides the answer of the endpoint.',
  'Exclude this path from rate limits. The import of a directory sends thousands of events. The signature identifies the sender.',
)

const labels: Readonly<Record<Finding['state'], string>> = {
  ok: styled('green', 'ok     '),
  wrong: styled('red', 'WRONG  '),
  note: styled('yellow', 'note   '),
  skipped: styled('dim', 'skipped'),
}

/** Formats a result as a line of the table. If there is a fix, the problem and the fix follow on separate lines. */
function row({ state, title, detail, hint }: Result): string {
  const line = `${labels[state]}  ${title.padEnd(58)}`
  if (hint === undefined) return `${line}  ${styled('dim', detail)}`
  return `${line.trimEnd()}\n           ${detail}\n           ${styled('bold', 'Fix:')} ${hint}`
}

function summary({ ok, wrong, note, skipped }: Readonly<Record<Finding['state'], number>>): string {
  const counts = `${ok} ok, ${wrong} WRONG, ${note} to note${skipped ? `, ${skipped} skipped` : ''}`
  return `\n${wrong ? 'Something' : 'Nothing'} is wrong. ${counts}.`
}
