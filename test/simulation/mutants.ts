/** A fault in core that the histories must detect. */
export interface Mutant {
  /** Below packages/core/src. */
  file: string
  from: string
  to: string
  /** The kinds of stores that the fault concerns. @default all */
  kinds?: string
}

export const mutants = {
  'a commit ignores the fence': {
    file: 'ledger/decisions.ts',
    from: "if (claim.resource !== undefined && resource && resource.fence !== claim.fence) return 'lost'",
    to: '',
  },
  'a lease is not renewed': {
    file: 'base/renewed-lease.ts',
    from: 'this.#renewing = this.#renew()',
    to: '',
  },
  'a lapsed lease does not abort the signal': {
    file: 'base/renewed-lease.ts',
    from: 'this.#options.onLost(lapsed)',
    to: '',
  },
  'a lease counts from its answer': {
    file: 'base/renewed-lease.ts',
    from: 'else if (answer === true) this.#extend(requestedAtMs)',
    to: 'else if (answer === true) this.#extend(clock.monotonic())',
  },
  'handlers begin under a lapsed lease': {
    file: 'dispatch/leased-handlers.ts',
    from: '      checkLease()\n',
    to: '',
  },
  'the reply comes before the effect': {
    file: 'dispatch/leased-handlers.ts',
    from: 'const result = await within(clock, running, timeoutMs)',
    to: "const early = new Promise<HandlerResult>((end) => clock.setTimeout(() => end({ outcome: 'processed' }), 3000))\n      const result = await within(clock, Promise.race([running, early]), timeoutMs)",
  },
  'a pending commit does not block its resource': {
    file: 'dispatch/dispatcher.ts',
    from: 'resource !== undefined && !(await this.#commits.flush(resource))',
    to: 'false',
  },
  'a pending commit is forgotten': {
    file: 'dispatch/commit-queue.ts',
    from: 'this.#add({ claim, retention })\n    this.#retrying',
    to: 'this.#retrying',
  },
  'a tombstone is ignored': {
    file: 'ledger/decisions.ts',
    from: 'return resource.tombstone === true && request.deletion !== true',
    to: 'return false',
  },
  'an older event is not stale': {
    file: 'ledger/decisions.ts',
    from: 'return occurredAt < resource.watermark',
    to: 'return false',
  },
  'a waiting event stays in the queue': {
    file: 'dispatch/turns.ts',
    from: 'if (index >= 0) waiting.splice(index, 1)',
    to: '',
  },
  'a Keyv does not wait for a late write': {
    file: 'ledger/compare-and-set/keyv.ts',
    from: '(name) => this.#late.get(name),',
    to: '() => undefined,',
    kinds: 'keyv',
  },
  'a write does not compare': {
    file: 'ledger/compare-and-set/compare-and-set-ledger.ts',
    from: 'if (await this.#table.compareAndSet(seen, changes)) return answer',
    to: 'await this.#table.compareAndSet(seen, changes)\n        return answer',
  },
  'a second message of a resource begins': {
    file: 'ledger/decisions.ts',
    from: "if (turn && turn.token !== request.token) return { state: 'busy' }",
    to: '',
  },
  'a lost lease is renewed': {
    file: 'ledger/decisions.ts',
    from: 'if (known && (known.done || known.token !== claim.token)) return false',
    to: '',
  },
  'a commit records no message': {
    file: 'ledger/steps.ts',
    from: 'const done = retention.retentionSeconds > 0 ? { token, done: true, untilMs } : undefined',
    to: 'const done = undefined',
  },
  'a failed handler keeps its claim': {
    file: 'dispatch/dispatcher.ts',
    from: "if (result.outcome === 'handler-failed') {\n      await releaseClaim(this.#config, claim, delivery.log)",
    to: "if (result.outcome === 'handler-failed') {",
  },
  'a late claim is not released': {
    file: 'dispatch/claims.ts',
    from: "if (late.state === 'begun') void releaseClaim(config, claimOf(request, late), log)",
    to: '',
  },
  'the reply waits for the handler': {
    file: 'dispatch/dispatcher.ts',
    from: 'const outcome = await within(this.#config.clock, run, delivery.deadline.leftMs)',
    to: 'const outcome = await within(this.#config.clock, run, 60_000)',
  },
  'close() drops pending commits': {
    file: 'dispatch/dispatcher.ts',
    from: 'await this.#commits.close(grace)',
    to: '',
  },
} as const satisfies Record<string, Mutant>

export type MutantName = keyof typeof mutants

export function isMutantName(name: string | undefined): name is MutantName {
  return name !== undefined && Object.hasOwn(mutants, name)
}
