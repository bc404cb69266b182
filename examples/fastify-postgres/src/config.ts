import type { Schedule } from '@scalekit-scim/core/sync'
import { z } from 'zod'

/** The configuration of a process without HTTP. */
export interface WorkerConfig {
  databaseUrl: string
  databasePoolSize: number
  ledgerUrl: string
  ledgerNamespace: string
  /** Scalekit's API credentials, for the directory sync, in the form that `scalekitFromEnv` accepts. */
  api: Readonly<Record<string, string>> | undefined
  syncSchedule: Schedule
  syncFullEverySeconds: number
  logLevel: (typeof logLevels)[number]
  isProduction: boolean
}

export interface Config extends WorkerConfig {
  /** One signing secret, or two during a rotation. */
  secrets: string[]
  host: string
  port: number
  /** The time in which the server serves requests while `/ready` answers 503. */
  drainSeconds: number
}

/** The message names each invalid variable with its fix, and never contains a value. */
export class InvalidEnvironment extends Error {
  constructor(problems: string[]) {
    super(`The environment variables are invalid:\n${problems.map((problem) => `  ${problem}\n`).join('')}`)
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const signingSecret =
  /^(?:whsec_)?(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/
const postgres = ['postgres:', 'postgresql:']

/** All problems of a variable have the same message, because zod's own messages would show the given value. */
function text(hint: string, isUsable: (value: string) => boolean) {
  return z.string(hint).refine(isUsable, hint)
}

function whole(hint: string, least: number, most: number) {
  const isUsable = (value: string) =>
    /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most
  return text(`${hint}, a whole number from ${least} to ${most}`, isUsable).transform(Number)
}

function isUrl(protocols: readonly string[]) {
  return (value: string) => protocols.includes(URL.parse(value)?.protocol ?? '')
}

/** In a Redis URL, the path can only be the number of a database. The Redis client throws for any other path. */
function isLedgerUrl(value: string): boolean {
  if (isUrl(postgres)(value)) return true
  return isUrl(['redis:', 'rediss:'])(value) && /^(?:\/\d*)?$/.test(URL.parse(value)?.pathname ?? '')
}

function commaSeparated(value: string): string[] {
  return value.split(',').map((part) => part.trim())
}

const workerFields = z.object({
  DATABASE_URL: text(
    'the database of the accounts, postgres://user:password@host:5432/name. Percent-encode special characters',
    isUrl(postgres),
  ),
  DATABASE_POOL_SIZE: whole('the largest number of database connections', 1, 1000).prefault('10'),
  LEDGER_URL: text(
    'the store of the ledger, redis://host:6379, rediss://… or postgres://… To select database 1 of Redis, add /1. Percent-encode special characters',
    isLedgerUrl,
  ),
  LEDGER_NAMESPACE: text(
    'a name that separates applications on one ledger, with 1 to 64 letters, digits, -, _ or .',
    (value) => /^[\w.-]{1,64}$/.test(value),
  ).prefault('fastify-postgres'),
  SCALEKIT_ENVIRONMENT_URL: text(
    'the URL of the Scalekit environment',
    isUrl(['http:', 'https:']),
  ).optional(),
  SCALEKIT_CLIENT_ID: z.string().optional(),
  SCALEKIT_CLIENT_SECRET: z.string().optional(),
  SYNC_EVERY_SECONDS: whole('the seconds between two passes of the sync', 1, 604_800).optional(),
  SYNC_CRON: text("a cron expression for the passes of the sync, such as '0 3 * * *'", (value) =>
    /^\S+(?: +\S+){4,5}$/.test(value),
  ).optional(),
  SYNC_FULL_EVERY_SECONDS: whole('the seconds between two full passes of the sync', 1, 2_678_400).prefault(
    '86400',
  ),
  LOG_LEVEL: z.enum(logLevels, `one of ${logLevels.join(', ')}`).prefault('info'),
  NODE_ENV: z.string().optional(),
})

const serverFields = workerFields.extend({
  SCALEKIT_WEBHOOK_SECRET: text(
    'the signing secret of the endpoint (whsec_…), from its page in the Scalekit dashboard. During a rotation, give both secrets, separated by a comma',
    (value) => commaSeparated(value).every((secret) => signingSecret.test(secret)),
  ).transform(commaSeparated),
  HOST: z.string().prefault('127.0.0.1'),
  PORT: whole('the port to listen on', 0, 65_535).prefault('3000'),
  DRAIN_SECONDS: whole('the seconds that a load balancer needs to detect the stop', 0, 300).prefault('0'),
})

const apiVariables = ['SCALEKIT_ENVIRONMENT_URL', 'SCALEKIT_CLIENT_ID', 'SCALEKIT_CLIENT_SECRET'] as const
const apiHint =
  'the directory sync needs this variable. Set all three API credentials of the Scalekit dashboard, or none'

/** @throws InvalidEnvironment */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const values = check(serverFields, env)
  return {
    ...workerConfig(values, env),
    secrets: values.SCALEKIT_WEBHOOK_SECRET,
    host: values.HOST,
    port: values.PORT,
    drainSeconds: values.DRAIN_SECONDS,
  }
}

/**
 * Reads the configuration of a process without HTTP. A process without HTTP runs the sync, and does not need a signing
 * secret.
 * @throws InvalidEnvironment
 */
export function readWorkerConfig(
  env: NodeJS.ProcessEnv,
): WorkerConfig & { api: NonNullable<WorkerConfig['api']> } {
  const { api, ...config } = workerConfig(check(workerFields, env), env)
  if (!api) throw new InvalidEnvironment(apiVariables.map((name) => `${name}: ${apiHint}`))
  return { ...config, api }
}

function workerConfig(values: z.output<typeof workerFields>, env: NodeJS.ProcessEnv): WorkerConfig {
  const missing = apiVariables.filter((name) => !env[name])
  if (missing.length > 0 && missing.length < apiVariables.length) {
    throw new InvalidEnvironment(missing.map((name) => `${name}: ${apiHint}`))
  }
  return {
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    ledgerUrl: values.LEDGER_URL,
    ledgerNamespace: values.LEDGER_NAMESPACE,
    api:
      missing.length > 0
        ? undefined
        : Object.fromEntries(apiVariables.map((name) => [name, env[name] ?? ''])),
    syncSchedule: scheduleOf(values),
    syncFullEverySeconds: values.SYNC_FULL_EVERY_SECONDS,
    logLevel: values.LOG_LEVEL,
    isProduction: values.NODE_ENV === 'production',
  }
}

function scheduleOf({
  SYNC_CRON: cron,
  SYNC_EVERY_SECONDS: everySeconds,
}: z.output<typeof workerFields>): Schedule {
  if (cron === undefined) return { everySeconds: everySeconds ?? 3600 }
  if (everySeconds === undefined) return { cron }
  throw new InvalidEnvironment(['SYNC_CRON: set SYNC_CRON or SYNC_EVERY_SECONDS, not both'])
}

/**
 * Reads the only variable that a migration needs. So a migration can run without a signing secret.
 * @throws InvalidEnvironment
 */
export function readDatabaseUrl(env: NodeJS.ProcessEnv): string {
  return check(workerFields.pick({ DATABASE_URL: true }), env).DATABASE_URL
}

function check<Schema extends z.ZodType>(schema: Schema, env: NodeJS.ProcessEnv): z.output<Schema> {
  // A line `NAME=` in a file means that the variable is not set.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const { success, data, error } = schema.safeParse(given)
  if (success) return data
  throw new InvalidEnvironment(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`))
}
