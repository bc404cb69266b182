import { z } from 'zod'

export interface Config {
  /** Several while one is rotated. */
  secrets: string[]
  databaseUrl: string
  databasePoolSize: number
  ledgerUrl: string
  ledgerNamespace: string
  host: string
  port: number
  logLevel: (typeof logLevels)[number]
  /** How long it goes on serving after it has said that it is not ready any more. */
  drainSeconds: number
  isProduction: boolean
}

/** Names every variable that is wrong, with its mend; never a value. */
export class InvalidEnvironment extends Error {
  constructor(problems: string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  ${problem}\n`).join('')}`)
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const signingSecret =
  /^(?:whsec_)?(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/
const postgres = ['postgres:', 'postgresql:']

/** One sentence for all that can be wrong with a variable: zod's own would show what was given. */
function text(mend: string, isUsable: (value: string) => boolean) {
  return z.string(mend).refine(isUsable, mend)
}

function whole(mend: string, most: number, preset: string) {
  const isUsable = (value: string) => /^\d{1,9}$/.test(value) && Number(value) <= most
  return text(`${mend}, a whole number from 0 to ${most}`, isUsable).prefault(preset).transform(Number)
}

function isUrl(protocols: readonly string[]) {
  return (value: string) => protocols.includes(URL.parse(value)?.protocol ?? '')
}

/** A Redis has numbers for its databases; its client throws at what else stands there. */
function isLedgerUrl(value: string): boolean {
  if (isUrl(postgres)(value)) return true
  return isUrl(['redis:', 'rediss:'])(value) && /^(?:\/\d*)?$/.test(URL.parse(value)?.pathname ?? '')
}

function commaSeparated(value: string): string[] {
  return value.split(',').map((part) => part.trim())
}

const schema = z.object({
  SCALEKIT_WEBHOOK_SECRET: text(
    'the signing secret of the endpoint (whsec_…), from its page in the Scalekit dashboard; while it is rotated both, with a comma between',
    (value) => commaSeparated(value).every((secret) => signingSecret.test(secret)),
  ).transform(commaSeparated),
  DATABASE_URL: text(
    'where the accounts are kept, postgres://user:password@host:5432/name; special characters in it percent-encoded',
    isUrl(postgres),
  ),
  DATABASE_POOL_SIZE: whole('the connections to the database at most', 1000, '10').refine(
    (size) => size > 0,
    'the connections to the database at most, 1 or more',
  ),
  LEDGER_URL: text(
    'where messages are remembered, redis://host:6379 (and /1, a number, for a database of it), rediss://… or postgres://…; special characters in it percent-encoded',
    isLedgerUrl,
  ),
  LEDGER_NAMESPACE: text(
    '1 to 64 letters, digits, -, _ or . to tell applications on one ledger apart',
    (value) => /^[\w.-]{1,64}$/.test(value),
  ).prefault('fastify-postgres'),
  HOST: z.string().prefault('127.0.0.1'),
  PORT: whole('the port to listen on', 65_535, '3000'),
  LOG_LEVEL: z.enum(logLevels, `one of ${logLevels.join(', ')}`).prefault('info'),
  DRAIN_SECONDS: whole('the seconds that a load balancer needs to look away', 300, '0'),
  NODE_ENV: z.string().optional(),
})

/** @throws InvalidEnvironment */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const values = check(schema, env)
  return {
    secrets: values.SCALEKIT_WEBHOOK_SECRET,
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    ledgerUrl: values.LEDGER_URL,
    ledgerNamespace: values.LEDGER_NAMESPACE,
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    drainSeconds: values.DRAIN_SECONDS,
    isProduction: values.NODE_ENV === 'production',
  }
}

/**
 * All that a migration needs: it may run where there is no secret.
 * @throws InvalidEnvironment
 */
export function readDatabaseUrl(env: NodeJS.ProcessEnv): string {
  return check(schema.pick({ DATABASE_URL: true }), env).DATABASE_URL
}

function check<Schema extends z.ZodType>(schema: Schema, env: NodeJS.ProcessEnv): z.output<Schema> {
  // `NAME=` in a file means that it is not set.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const { success, data, error } = schema.safeParse(given)
  if (success) return data
  throw new InvalidEnvironment(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`))
}
