import { once } from 'node:events'
import type { Attempt, Directory, Message, Simulator } from '@scalekit-scim/simulator'
import manifest from '../package.json' with { type: 'json' }
import { checkedSecret, parseEndpoint, secretVariable, shownAddress } from './endpoint.ts'
import { isDelivered, shownAnswer } from './exchange.ts'
import { codeOf, refused, wrongUsage } from './failures.ts'
import { introduce, summaryOf } from './introduction.ts'
import { complain, interruption, printable, say, sayJson, styled } from './terminal.ts'

export interface SimulateOptions {
  host: string
  port: number
  seed?: string
  file?: string
  endpoint?: readonly string[]
  secret?: string
  speed: number
  rateLimit?: number
  json?: boolean
}

/** The command `simulate`. Runs the simulator until a signal stops it. */
export async function simulate(options: SimulateOptions): Promise<void> {
  // A signal also stops a simulator that is still starting.
  const stopped = once(interruption(), 'abort')
  const { createSimulator, SnapshotError } = await loadSimulator()
  const secret = options.secret ?? (process.env[secretVariable] || undefined)
  try {
    const simulator = await open(createSimulator, options, secret)
    try {
      const summary = summaryOf(simulator, directoriesOf(simulator), secret)
      if (options.json) {
        sayJson(summary)
      } else {
        introduce(summary, simulator.clock.speed)
        sayAttempts(simulator)
      }
      await stopped
      sayGoodbye(simulator, options)
    } finally {
      await simulator.close()
    }
  } catch (error) {
    throw error instanceof SnapshotError ? refused(error.message) : failureOf(error, options)
  }
}

async function open(
  createSimulator: SimulatorPackage['createSimulator'],
  { host, port, seed, file, speed, rateLimit, endpoint: addresses = [], ...given }: SimulateOptions,
  secret: string | undefined,
): Promise<Simulator> {
  if (given.secret !== undefined && addresses.length === 0) {
    throw wrongUsage('--secret signs for --endpoint, which is missing. Add --endpoint URL, or omit --secret.')
  }
  if (secret !== undefined) checkedSecret(secret, given.secret === undefined ? secretVariable : '--secret')
  const urls = new Set(addresses.map((address) => parseEndpoint(address).href))
  const simulator = await createSimulator({
    host,
    port,
    clockSpeed: speed,
    endpoints: [...urls].map((url) => (secret === undefined ? { url } : { url, secret })),
    ...(seed !== undefined && { seed }),
    ...(file !== undefined && { file }),
    ...(rateLimit !== undefined && { requestsPerMinute: rateLimit }),
  })
  if (secret !== undefined) replaceSecrets(simulator, urls, secret)
  return simulator
}

/** Sets the secret of these endpoints, because the file can contain the secret of an earlier run. */
function replaceSecrets({ deliveries }: Simulator, urls: ReadonlySet<string>, secret: string): void {
  for (const { id, url, secrets } of deliveries.endpoints) {
    if (urls.has(url) && secrets[0] !== secret) deliveries.rotateSecret(id, { secret, keepOldSeconds: 0 })
  }
}

function failureOf(error: unknown, { host, port }: SimulateOptions): unknown {
  const code = codeOf(error)
  if (code === 'EADDRINUSE') {
    return refused(`Port ${port} is in use. Give another --port, or 0 for any free port.`)
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return refused(
      `Cannot listen on ${host}, port ${port} (${code}). Give an address of this machine as --host, and a --port of 1024 or more.`,
    )
  }
  return error
}

/**
 * Returns the directories of the simulator. At the first start, creates an organization with one directory, without
 * sending events.
 */
function directoriesOf({ environment }: Simulator): Directory[] {
  if (environment.organizations.length === 0) {
    environment.silently(() => {
      const { id } = environment.createOrganization({ displayName: 'Acme' })
      environment.createDirectory(id)
    })
  }
  return environment.organizations.flatMap(({ id }) => environment.directoriesOf(id))
}

function sayAttempts({ deliveries }: Simulator): void {
  const printed = new WeakSet<Attempt>()
  deliveries.onChange((message) => {
    for (const { attempts, endpointId } of message.deliveries) {
      const endpoint = deliveries.endpoints.find(({ id }) => id === endpointId)
      const where = endpoint ? shownAddress(endpoint.url) : endpointId
      for (const attempt of attempts) {
        if (!printed.has(attempt)) say(lineOf(message, attempt, where))
        printed.add(attempt)
      }
    }
  })
}

function lineOf({ id, event }: Message, attempt: Attempt, where: string): string {
  const { response, error = 'no answer', durationMs, number, startedAtMs } = attempt
  const answer = response ? shownAnswer(response) : printable(error)
  return [
    new Date(startedAtMs).toISOString().slice(11, 19),
    event.type.replace(/^organization\.(directory\.)?/, ''),
    id,
    number > 1 ? `attempt ${number}` : '',
    styled(isDelivered(response ?? {}) ? 'green' : 'red', answer),
    styled('dim', `${Math.round(durationMs)} ms ${where}`),
  ]
    .filter(Boolean)
    .join('  ')
}

function sayGoodbye({ deliveries }: Simulator, { json }: SimulateOptions): void {
  const underWay = deliveries.messages
    .flatMap((message) => message.deliveries)
    .reduce((sum, { attemptsUnderWay }) => sum + attemptsUnderWay, 0)
  const goodbye =
    underWay === 0
      ? 'Stopping.'
      : `Waiting up to 10 s for answers (running attempts: ${underWay}). Press Ctrl-C again to stop at once.`
  if (!json) say(`\n${goodbye}`)
  else if (underWay > 0) complain(goodbye)
}

type SimulatorPackage = typeof import('@scalekit-scim/simulator')

const packageName = '@scalekit-scim/simulator'

/** Loads the simulator, which the application may have installed. @throws Failure if it is missing */
async function loadSimulator(): Promise<SimulatorPackage> {
  try {
    return await import('@scalekit-scim/simulator')
  } catch (error) {
    if (!isMissing(error)) throw error
    throw refused(
      `simulate needs ${packageName}, which is not installed. Run npm install -D ${packageName}@${manifest.version}.`,
    )
  }
}

/**
 * Returns whether the simulator itself is missing. If a dependency of the simulator is missing, the error's message
 * quotes the dependency. It then names the simulator only in a path.
 */
function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${packageName}'`)
  )
}
