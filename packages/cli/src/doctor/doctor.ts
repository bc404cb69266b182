import { shownAddress, targetOf } from '../endpoint.ts'
import { exitCodes, noConnection } from '../failures.ts'
import { complain, onInterruption, say, sayJson, styled } from '../terminal.ts'
import { bodyChecks } from './body-checks.ts'
import type { Check } from './check.ts'
import { type Finding, type FindingState, isAccepted, rateLimited, skipped } from './finding.ts'
import { statusFinding, timeFinding, validFinding } from './first-delivery.ts'
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

/** Adds the finding of a check to the report. */
type Report = (check: Pick<Check, 'name' | 'title'>, finding: Finding) => void

/** The command `doctor`. Runs all checks, one after another. Returns the exit code. */
export async function doctor(address: string, options: DoctorOptions): Promise<number> {
  const { json = false, write = false, organization } = options
  const target = targetOf(address, options.secret)
  const url = shownAddress(target.url)
  const interruption = new AbortController()
  const stopListening = onInterruption(() => interruption.abort())
  const probe = new Probe(target, interruption.signal)
  const results: Result[] = []
  const report: Report = ({ name, title }, finding) => {
    const isRepeated = finding === rateLimited && results.some(({ detail }) => detail === finding.detail)
    const result = {
      check: name,
      title,
      ...(isRepeated ? skipped('a rate limit answered (429)') : finding),
    }
    results.push(result)
    if (!json) say(row(result))
  }
  try {
    if (!json) say(`${url}\n`)
    await examine(probe, url, write ? new TestUsers(organization) : undefined, report)
  } finally {
    stopListening()
  }
  const wrong = countOf(results, 'wrong')
  if (json) {
    sayJson({ url, write, good: wrong === 0, wrong, notes: countOf(results, 'note'), checks: results })
  } else {
    say(summary(results))
  }
  if (probe.isInterrupted) {
    complain('Interrupted: not all checks have run.')
    return exitCodes.interrupted
  }
  return wrong === 0 ? exitCodes.good : exitCodes.refused
}

/** Runs all checks. With test users, also runs the write checks. */
async function examine(
  probe: Probe,
  url: string,
  users: TestUsers | undefined,
  report: Report,
): Promise<void> {
  // No application handles the type of this event.
  const first = await probe.deliver()
  if (first.kind === 'no-answer' && first.reason === 'no-connection') throw noConnection(url, first.detail)
  probe.acceptsValid = isAccepted(first)
  report({ name: 'valid', title: 'a valid delivery is accepted' }, await validFinding(first, probe))
  if (probe.acceptsValid) report({ name: 'status', title: 'it answers 200 or 201' }, statusFinding(first))

  const checks = [...forgeryChecks, ...bodyChecks, ...trafficChecks, ...(users ? writeChecks(users) : [])]
  try {
    for (const check of checks) {
      const finding =
        first.kind === 'no-answer' ? skipped('it does not answer') : await findingOf(check, probe)
      if (probe.isInterrupted) break
      report(check, finding)
    }
  } finally {
    if (users && probe.acceptsValid) {
      const check = deletionCheck(users)
      report(check, await check.run(probe.uninterrupted()))
    }
  }
  if (probe.acceptsValid) report({ name: 'time', title: 'it answers well within 10 s' }, timeFinding(probe))
}

async function findingOf(check: Check, probe: Probe): Promise<Finding> {
  const isForgery = forgeryChecks.includes(check)
  const blind = skipped('cannot be checked while valid deliveries are refused')
  if (probe.isGone) return skipped('it no longer accepts connections')
  if (!probe.acceptsValid && !isForgery) return blind
  probe.isLimited = false
  const finding = await check.run(probe)
  // An endpoint that accepts forged deliveries is reported even if it refuses valid ones.
  if (isForgery && finding.state === 'wrong') return finding
  if (!probe.acceptsValid) return blind
  // A 429 from a rate limit shows nothing about the endpoint. In particular, it does not show that the endpoint refuses
  // forged deliveries.
  return probe.isLimited && check.name !== 'at-once' ? rateLimited : finding
}

const labels: Readonly<Record<FindingState, string>> = {
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

function countOf(results: readonly Result[], state: FindingState): number {
  return results.filter((result) => result.state === state).length
}

function summary(results: readonly Result[]): string {
  const [ok, wrong, notes, skips] = (['ok', 'wrong', 'note', 'skipped'] as const).map((state) =>
    countOf(results, state),
  )
  const counts = `${ok} ok, ${wrong} WRONG, ${notes} to note${skips ? `, ${skips} skipped` : ''}`
  return `\n${wrong ? 'Something' : 'Nothing'} is wrong. ${counts}.`
}
