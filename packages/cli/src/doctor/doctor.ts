import { shownAddress, type Target, targetOf } from '../endpoint.ts'
import { exitCodes, noConnection } from '../failures.ts'
import { onInterruption } from '../interruption.ts'
import { complain, say, sayJson } from '../terminal.ts'
import { bodyChecks } from './body-checks.ts'
import { type Check, type Finding, isTaken, rateLimited, skipped } from './finding.ts'
import { firstContact, timeFinding } from './first-contact.ts'
import { MarkedPeople } from './marked-people.ts'
import { Probe } from './probe.ts'
import { type Examined, row, summary } from './report.ts'
import { signatureChecks } from './signature-checks.ts'
import { trafficChecks } from './traffic-checks.ts'
import { deletionCheck, writeChecks } from './write-checks.ts'

export interface DoctorOptions {
  secret?: string
  write?: boolean
  organization: string
  json?: boolean
}

/** `doctor`: all checks, one after the other. Gives the exit code. */
export async function doctor(address: string, options: DoctorOptions): Promise<number> {
  const target = targetOf(address, options.secret)
  const interruption = new AbortController()
  const stopListening = onInterruption(() => interruption.abort())
  try {
    if (!options.json) say(`${shownAddress(target.url)}\n`)
    const examination = new Examination(new Probe(target, interruption.signal), options.json !== true)
    await examination.run(target, options)
    return conclude(examination, target, options)
  } finally {
    stopListening()
  }
}

function conclude({ results, probe }: Examination, { url }: Target, { json, write }: DoctorOptions): number {
  const wrongs = results.filter(({ state }) => state === 'wrong').length
  const notes = results.filter(({ state }) => state === 'note').length
  if (json) {
    sayJson({
      url: shownAddress(url),
      write: write === true,
      good: wrongs === 0,
      wrong: wrongs,
      notes,
      checks: results,
    })
  } else {
    say(summary(results))
  }
  if (probe.isInterrupted) {
    complain('Interrupted: not all checks have run.')
    return exitCodes.interrupted
  }
  return wrongs === 0 ? exitCodes.good : exitCodes.refused
}

/** The story of one visit: what is found, in its order. */
class Examination {
  readonly results: Examined[] = []
  readonly probe: Probe
  readonly #isShown: boolean
  /** Why nothing more can be found out. */
  #hopeless: string | undefined

  constructor(probe: Probe, isShown: boolean) {
    this.probe = probe
    this.#isShown = isShown
  }

  async run({ url }: Target, { write, organization }: DoctorOptions): Promise<void> {
    const { outcome, accepts, status } = await firstContact(this.probe)
    if (outcome.kind === 'no-answer') {
      if (outcome.reason === 'no-connection') throw noConnection(shownAddress(url), outcome.detail)
      this.#hopeless = 'it does not answer'
    }
    this.probe.isAccepted = isTaken(outcome)
    this.#add({ name: 'valid', title: 'a valid delivery is accepted' }, accepts)
    if (this.probe.isAccepted) this.#add({ name: 'status', title: 'it answers 200 or 201' }, status)

    for (const check of signatureChecks) await this.#examine(check)
    for (const check of [...bodyChecks, ...trafficChecks]) await this.#examine(check)
    if (write) await this.#write(organization)
    if (this.probe.isAccepted) {
      this.#add({ name: 'time', title: 'it answers well within 10 s' }, timeFinding(this.probe))
    }
  }

  /** Whatever becomes of it, an interruption too, what it has made is deleted again. */
  async #write(organization: string): Promise<void> {
    const people = new MarkedPeople(organization)
    try {
      for (const check of writeChecks(people)) await this.#examine(check)
    } finally {
      const check = deletionCheck(people)
      if (this.probe.isAccepted) this.#add(check, await check.run(this.probe.uninterrupted()))
    }
  }

  async #examine(check: Check): Promise<void> {
    if (this.probe.isInterrupted) return
    if (this.probe.isGone) this.#hopeless ??= 'nobody listens there any more'
    if (this.#hopeless !== undefined) return this.#add(check, skipped(this.#hopeless))
    if (!this.probe.isAccepted && check.name.startsWith('write-')) return this.#add(check, skipped(blind))
    this.probe.isLimited = false
    const finding = await check.run(this.probe)
    if (this.probe.isInterrupted) return
    if (isLetIn(check, finding)) this.#add(check, finding)
    else if (!this.probe.isAccepted) this.#add(check, skipped(blind))
    else this.#add(check, this.probe.isLimited && check.name !== 'at-once' ? this.#limited() : finding)
  }

  /** What a rate limit answers tells nothing of the endpoint; least of all that it has refused a forgery. */
  #limited(): Finding {
    const isKnown = this.results.some(({ says }) => says === rateLimited.says)
    return isKnown ? skipped('a rate limit answered (429)') : rateLimited
  }

  #add({ name, title }: { name: string; title: string }, finding: Finding): void {
    const examined = { check: name, title, ...finding }
    this.results.push(examined)
    if (this.#isShown) say(row(examined))
  }
}

const blind = 'says nothing while valid deliveries are refused'

/** The one thing that can be found out of an endpoint that refuses what is valid: that it accepts what is not. */
function isLetIn({ name }: Check, { state }: Finding): boolean {
  return (
    state === 'wrong' && signatureChecks.some((check) => check.name === name && name !== 'several-signatures')
  )
}
