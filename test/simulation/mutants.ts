/** A fault in core that the histories must detect. */
export interface Mutant {
  /** Below packages/core/src. */
  file: string
  from: string
  to: string
}

export const mutants = {
  'a commit ignores the fence': {
    file: 'ledger/decisions.ts',
    from: "if (claim.resource !== undefined && resource && resource.fence !== claim.fence) return 'lost'",
    to: '',
  },
  'a lease is not renewed': {
    file: 'dispatch/leased-handlers.ts',
    from: 'this.#renewing = this.#renew()',
    to: '',
  },
  'a lapsed lease does not abort the signal': {
    file: 'dispatch/leased-handlers.ts',
    from: 'if (this.#leftMs <= 0) return this.#runOut()',
    to: 'if (this.#leftMs <= 0) return',
  },
  'a claim is used although its lease may have lapsed': {
    file: 'dispatch/claims.ts',
    from: 'if (clock.monotonic() - requestedAtMs < leaseSeconds * 1000) {',
    to: 'if (true) {',
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
  },
  'a write does not compare': {
    file: 'ledger/compare-and-set/compare-and-set-ledger.ts',
    from: 'if (await this.#table.compareAndSet(seen, changes)) return answer',
    to: 'await this.#table.compareAndSet(seen, changes)\n        return answer',
  },
} as const satisfies Record<string, Mutant>

export type MutantName = keyof typeof mutants

export function isMutantName(name: string | undefined): name is MutantName {
  return name !== undefined && Object.hasOwn(mutants, name)
}
