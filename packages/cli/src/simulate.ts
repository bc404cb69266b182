import { once } from 'node:events'
import type { Attempt, Directory, Message, Simulator, SimulatorOptions } from '@scalekit-scim/simulator'
import manifest from '../package.json' with { type: 'json' }
import { parseEndpoint, secretFrom, secretVariable, shownAddress } from './endpoint.ts'
import { isDelivered, shownAnswer } from './exchange.ts'
import { refused, wrongUsage } from './failures.ts'
import { introduce, summaryOf } from './introduction.ts'
import { complain, interruption, printable, say, sayJson, styled } from './terminal.ts'

const packageName = '@scalekit-scim/simulator'

/** Loads the simulator, an optional package. @throws Failure if the simulator is not installed */
async function loadSimulator(): Promise<typeof import('@scalekit-scim/simulator')> {
  try {
    // If a dependency of the simulator is missing, only the import below fails.
    import.meta.resolve(packageName)
  } catch {
    throw refused(
      `simulate needs ${packageName}, which is not installed. Run npm install -D ${packageName}@${manifest.version}.`,
    )
  }
  return await import('@scalekit-scim/simulator')
}

export interface SimulateOptions extends Pick<SimulatorOptions, 'host' | 'port' | 'seed' | 'file'> {
  endpoint?: readonly string[]
  secret?: string
  speed: number
  rateLimit?: number
  json?: boolean
}

/** The command `simulate`, which runs the simulator until a signal arrives. */
export async function simulate(options: SimulateOptions): Promise<void> {
  // A signal also stops a simulator that is starting.
  const stopped = once(interruption(), 'abort')
  const { createSimulator, PortError, SnapshotError } = await loadSimulator()
  const { endpoint: addresses = [], secret: option, speed, rateLimit, json = false, ...common } = options
  const secret = secretFor(addresses, option)
  const urls = new Set(addresses.map((address) => parseEndpoint(address).href))
  try {
    const simulator = await createSimulator({
      ...common,
      clockSpeed: speed,
      endpoints: [...urls].map((url) => ({ url })),
      ...(rateLimit !== undefined && { requestsPerMinute: rateLimit }),
    })
    try {
      if (secret !== undefined) setSecrets(simulator, urls, secret)
      const summary = summaryOf(simulator, directoriesOf(simulator), secret)
      if (json) {
        sayJson(summary)
      } else {
        introduce(summary, simulator.clock.speed)
        sayAttempts(simulator)
      }
      await stopped
      sayGoodbye(simulator, json)
    } finally {
      await simulator.close()
    }
  } catch (error) {
    if (error instanceof PortError || error instanceof SnapshotError) throw refused(error.message)
    throw error
  }
}

/**
 * Returns the secret of the option or of the environment variable. Without a given secret, the simulator generates
 * secrets.
 */
function secretFor(addresses: readonly string[], option: string | undefined): string | undefined {
  if (option !== undefined && addresses.length === 0) {
    throw wrongUsage('--secret needs --endpoint. Add --endpoint URL, or omit --secret.')
  }
  return option !== undefined || process.env[secretVariable] ? secretFrom(option) : undefined
}

/** Sets the secret of the endpoints at `urls`. An endpoint from the file can have the secret of an earlier run. */
function setSecrets({ deliveries }: Simulator, urls: ReadonlySet<string>, secret: string): void {
  for (const { id, url, secrets } of deliveries.endpoints) {
    if (urls.has(url) && secrets[0] !== secret) deliveries.rotateSecret(id, { secret, keepOldSeconds: 0 })
  }
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

function sayGoodbye({ deliveries }: Simulator, json: boolean): void {
  const underWay = deliveries.messages
    .flatMap((message) => message.deliveries)
    .reduce((sum, { attemptsUnderWay }) => sum + attemptsUnderWay, 0)
  const goodbye =
    underWay === 0
      ? 'Stopping.'
      : `Waiting up to 10 s for answers (running attempts: ${underWay}). Press Ctrl-C again to stop immediately.`
  if (!json) say(`\n${goodbye}`)
  else if (underWay > 0) complain(goodbye)
}
