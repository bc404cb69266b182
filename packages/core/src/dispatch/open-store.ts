import type { Clock } from '../base/clock.ts'
import { ConfigurationError, errorsPage } from '../base/errors.ts'
import { randomnessOf } from '../base/randomness.ts'
import type { DispatcherConfiguration } from '../config/configure.ts'
import { listenToStore } from '../ledger/error-hints.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { MemoryLedger } from '../ledger/memory/memory-ledger.ts'
import { type OpenLedger, openLedger } from '../ledger/open-ledger.ts'

/** A store that a dispatcher has opened, with a reserved namespace. */
export interface OpenStore extends OpenLedger {
  /** If the store client's last error is recent, returns the error's code. */
  recentStoreError(): string | undefined
  /** The time limit of a call. The memory of this process answers at once, so it has no limit. */
  storeTimeoutMs: number
  /** Returns a new token for a claim. Tokens are unique across all processes. */
  nextToken(): string
}

/** The configuration of a dispatcher whose store is open. */
export type OpenConfiguration = DispatcherConfiguration & OpenStore

/** @throws ConfigurationError if the store is unusable, its namespace is in use, or its guarantee is too weak */
export function openStore<Config extends DispatcherConfiguration>(config: Config): Config & OpenStore {
  const opened = openLedger(config)
  const recentStoreError = listenToStore(config.store, config.clock)
  try {
    checkGuarantee(opened.ledger, config)
  } catch (error) {
    opened.closeStore()
    throw error
  }
  const storeTimeoutMs =
    opened.ledger instanceof MemoryLedger ? Number.POSITIVE_INFINITY : config.storeTimeoutSeconds * 1000
  return { ...config, ...opened, recentStoreError, storeTimeoutMs, nextToken: tokenSequence(config.clock) }
}

/** The random first part of the tokens is short, because stores contain the token of each done message. */
function tokenSequence(clock: Clock): () => string {
  const tag = Buffer.from(randomnessOf(clock).uuid().replaceAll('-', ''), 'hex').toString('base64url', 0, 9)
  let tokens = 0
  return () => `${tag}.${(++tokens).toString(36)}`
}

const ranks = { 'best-effort': 0, process: 1, atomic: 2 }

function checkGuarantee(
  { guarantee }: Ledger,
  { requireGuarantee, store, log }: DispatcherConfiguration,
): void {
  const weaker = ranks[guarantee.message] < ranks[guarantee.order] ? guarantee.message : guarantee.order
  if (requireGuarantee && ranks[weaker] < ranks[requireGuarantee]) {
    throw new ConfigurationError(
      'ERR_SCIM_GUARANTEE',
      `\`requireGuarantee\` is '${requireGuarantee}', but this store only guarantees '${weaker}'. ` +
        `ERR_SCIM_GUARANTEE in ${errorsPage} names the stores that guarantee more.`,
      'requireGuarantee',
    )
  }
  if (weaker === 'best-effort' && store !== undefined) {
    log.warn(
      guarantee,
      'this store cannot claim a message atomically: two instances may both process it. Run one instance only',
    )
  }
}
