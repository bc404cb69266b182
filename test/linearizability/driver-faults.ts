import type { StoreKind } from '../chaos/stores.ts'

/** A fault in the driver of a store that the histories must reveal. */
export interface DriverFault {
  store: StoreKind
  /** Below packages/core/src/ledger. */
  file: string
  from: string
  to: string
}

export const driverFaults = {
  'Redis: commit ignores the fence': {
    store: 'redis',
    file: 'redis/scripts.ts',
    from: 'if fence and fence ~= claim_fence then return 0 end',
    to: '',
  },
  'PostgreSQL: commit ignores the fence': {
    store: 'postgres',
    file: 'postgres/settle-functions.ts',
    from: 'AND expires_at > now_at AND fence <> in_fence;',
    to: 'AND false;',
  },
  'MySQL: commit ignores the fence': {
    store: 'mysql',
    file: 'decisions.ts',
    from: "if (claim.resource !== undefined && resource && resource.fence !== claim.fence) return 'lost'",
    to: '',
  },
  'Redis: renew ignores the fence': {
    store: 'redis',
    file: 'redis/scripts.ts',
    from: 'if fence and (fence ~= claim_fence or sub(turn, 17) ~= token) then return 0 end',
    to: '',
  },
  'Redis: a turn never lapses': {
    store: 'redis',
    file: 'redis/scripts.ts',
    from: 'if sub(turn, 1, 16) > now and sub(turn, 17) ~= token',
    to: "if turn ~= '' and sub(turn, 17) ~= token",
  },
  'MySQL: a lease ends too early': {
    store: 'mysql',
    file: 'steps.ts',
    from: 'const untilMs = now.ms + wholeMs(leaseSeconds)',
    to: 'const untilMs = now.ms + wholeMs(leaseSeconds) - 100',
  },
  'MySQL: an older event is not stale': {
    store: 'mysql',
    file: 'decisions.ts',
    from: 'return occurredAt < resource.watermark',
    to: 'return false',
  },
  'MySQL: the fence goes back': {
    store: 'mysql',
    file: 'decisions.ts',
    from: 'nextFence(Math.max((resource?.fence ?? 0) + 1, microseconds))',
    to: 'nextFence(0 * microseconds)',
  },
  'MySQL: a write does not compare': {
    store: 'mysql',
    file: 'compare-and-set/mysql.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the driver's text
    from: ' AND ${alias}.state <=> ${hex(seen.rows[row.kind]?.state)}',
    to: '',
  },
  'PostgreSQL: no locks': {
    store: 'postgres',
    file: 'postgres/schema.ts',
    from: `  PERFORM pg_advisory_xact_lock(least(message_key, resource_key));
  IF message_key <> resource_key THEN
    PERFORM pg_advisory_xact_lock(greatest(message_key, resource_key));
  END IF;`,
    to: '',
  },
} as const satisfies Record<string, DriverFault>

export type DriverFaultName = keyof typeof driverFaults

export function isDriverFault(name: string | undefined): name is DriverFaultName {
  return name !== undefined && Object.hasOwn(driverFaults, name)
}
