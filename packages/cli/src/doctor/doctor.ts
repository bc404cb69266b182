import { shownAddress, targetOf } from '../endpoint.ts'
import { exitCodes, noConnection } from '../failures.ts'
import { onInterruption } from '../interruption.ts'
import { complain, say, sayJson } from '../terminal.ts'
import { bodyChecks } from './body-checks.ts'
import type { Check } from './check.ts'
import { type Finding, rateLimited, skipped } from './finding.ts'
import { firstDelivery, timeFinding } from './first-delivery.ts'
import { isAccepted } from './outcomes.ts'
import { Probe } from './probe.ts'
import { countOf, type Result, row, summary } from './report.ts'
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

/** The command `doctor`. Runs all checks, one after another. Returns the exit code. */
export async function doctor(address: string, options: DoctorOptions): Promise<number> {
  const { json = false, write = false, organization } = options
  const target = targetOf(address, options.secret)
  const url = shownAddress(target.url)
  const interruption = new AbortController()
  const stopListening = onInterruption(() => interruption.abort())
  try {
    if (!json) say(`${url}\n`)
    const probe = new Probe(target, interruption.signal)
    const results = await new Examination(probe, json ? undefined : (result) => say(row(result))).run(
      url,
      write ? organization : undefined,
    )
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
  } finally {
    stopListening()
  }
}

const blind = 'cannot be checked while valid deliveries are refused'

class Examination {
  readonly #results: Result[] = []
  readonly #probe: Probe
  readonly #onResult: ((result: Result) => void) | undefined
  /** The reason to skip all further checks, if something makes them useless. */
  #hopeless: string | undefined

  constructor(probe: Probe, onResult?: (result: Result) => void) {
    this.#probe = probe
    this.#onResult = onResult
  }

  /** Runs all checks. If `organization` is given, also runs the write checks. */
  async run(url: string, organization: string | undefined): Promise<Result[]> {
    const probe = this.#probe
    const { outcome, accepts, status } = await firstDelivery(probe)
    if (outcome.kind === 'no-answer') {
      if (outcome.reason === 'no-connection') throw noConnection(url, outcome.detail)
      this.#hopeless = 'it does not answer'
    }
    probe.acceptsValid = isAccepted(outcome)
    this.#add({ name: 'valid', title: 'a valid delivery is accepted' }, accepts)
    if (probe.acceptsValid) this.#add({ name: 'status', title: 'it answers 200 or 201' }, status)

    for (const check of [...forgeryChecks, ...bodyChecks, ...trafficChecks]) await this.#examine(check)
    if (organization !== undefined) await this.#write(organization)
    if (probe.acceptsValid) {
      this.#add({ name: 'time', title: 'it answers well within 10 s' }, timeFinding(probe))
    }
    return this.#results
  }

  /** Runs the write checks. Then deletes the test users, even after an interruption. */
  async #write(organization: string): Promise<void> {
    const users = new TestUsers(organization)
    try {
      for (const check of writeChecks(users)) await this.#examine(check)
    } finally {
      const check = deletionCheck(users)
      if (this.#probe.acceptsValid) this.#add(check, await check.run(this.#probe.uninterrupted()))
    }
  }

  async #examine(check: Check): Promise<void> {
    const probe = this.#probe
    if (probe.isInterrupted) return
    if (probe.isGone) this.#hopeless ??= 'it no longer accepts connections'
    if (this.#hopeless !== undefined) return this.#add(check, skipped(this.#hopeless))
    if (!probe.acceptsValid && check.name.startsWith('write-')) return this.#add(check, skipped(blind))
    probe.isLimited = false
    const finding = await check.run(probe)
    if (probe.isInterrupted) return
    // An endpoint that accepts forged deliveries is reported even if it refuses valid ones.
    const acceptsForgeries = forgeryChecks.includes(check) && finding.state === 'wrong'
    if (acceptsForgeries) this.#add(check, finding)
    else if (!probe.acceptsValid) this.#add(check, skipped(blind))
    else this.#add(check, probe.isLimited && check.name !== 'at-once' ? this.#limited() : finding)
  }

  /**
   * A 429 from a rate limit shows nothing about the endpoint. In particular, it does not show that the endpoint refuses
   * forged deliveries. The first check that gets a 429 is reported as wrong, and later ones as skipped.
   */
  #limited(): Finding {
    const isReported = this.#results.some(({ detail }) => detail === rateLimited.detail)
    return isReported ? skipped('a rate limit answered (429)') : rateLimited
  }

  #add({ name, title }: { name: string; title: string }, finding: Finding): void {
    const result = { check: name, title, ...finding }
    this.#results.push(result)
    this.#onResult?.(result)
  }
}
