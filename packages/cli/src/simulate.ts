import type { Attempt, Directory, Message, Simulator } from '@scalekit-scim/simulator'
import { checkedSecret, parseEndpoint, secretVariable, shownAddress } from './endpoint.ts'
import { isDeliveredStatus } from './exchange.ts'
import { exitCodes, Failure, wrongUsage } from './failures.ts'
import { onInterruption } from './interruption.ts'
import { introduce, summaryOf } from './introduction.ts'
import { loadSimulator, type SimulatorPackage } from './simulator-package.ts'
import { complain, printable, say, sayJson, styled } from './terminal.ts'

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

/** `simulate`: until it is told to stop. Gives the exit code. */
export async function simulate(options: SimulateOptions): Promise<number> {
  // Heard from the start: who changes their mind early has not to wait.
  const stopped = new Promise<void>((resolve) => void onInterruption(resolve))
  const simulatorPackage = await loadSimulator()
  const secret = options.secret ?? (process.env[secretVariable] || undefined)
  const simulator = await open(simulatorPackage, options, secret)
  try {
    const directories = directoriesOf(simulator)
    if (options.json) sayJson(summaryOf(simulator, directories, secret))
    else {
      introduce(simulator, directories, secret)
      sayAttempts(simulator)
    }
    await stopped
    sayGoodbye(simulator, options)
  } finally {
    await simulator.close().catch((error) => {
      throw failureOf(simulatorPackage, error, options)
    })
  }
  return exitCodes.good
}

async function open(
  simulatorPackage: SimulatorPackage,
  options: SimulateOptions,
  secret: string | undefined,
): Promise<Simulator> {
  const { host, port, seed, file, speed, rateLimit, endpoint: addresses = [] } = options
  if (options.secret !== undefined && addresses.length === 0) {
    throw wrongUsage(
      '--secret signs for what --endpoint names, and none is given. Add --endpoint URL, or leave --secret out.',
    )
  }
  const source = options.secret === undefined ? secretVariable : '--secret'
  if (secret !== undefined) checkedSecret(secret, source)
  const urls = new Set(addresses.map((address) => parseEndpoint(address).href))
  const endpoints = [...urls].map((url) => (secret === undefined ? { url } : { url, secret }))
  try {
    const simulator = await simulatorPackage.createSimulator({
      host,
      port,
      clockSpeed: speed,
      endpoints,
      ...(seed !== undefined && { seed }),
      ...(file !== undefined && { file }),
      ...(rateLimit !== undefined && { requestsPerMinute: rateLimit }),
    })
    if (secret !== undefined) takeSecret(simulator, urls, secret)
    return simulator
  } catch (error) {
    throw failureOf(simulatorPackage, error, options)
  }
}

/** An endpoint that the file has from an earlier run gets the secret of this one. */
function takeSecret({ deliveries }: Simulator, urls: ReadonlySet<string>, secret: string): void {
  for (const { id, url, secrets } of deliveries.endpoints) {
    if (urls.has(url) && secrets[0] !== secret) deliveries.rotateSecret(id, { secret, keepOldSeconds: 0 })
  }
}

function failureOf(
  { SnapshotError }: SimulatorPackage,
  error: unknown,
  { host, port }: SimulateOptions,
): unknown {
  if (error instanceof SnapshotError) return new Failure(error.message, exitCodes.refused)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new Failure(
      `Port ${port} is taken. Give another --port; 0 is any that is free.`,
      exitCodes.refused,
    )
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new Failure(
      `Cannot listen on ${host}, port ${port} (${code}). Give an address of this machine as --host, and a --port from 1024 on.`,
      exitCodes.refused,
    )
  }
  return error
}

/** Those that there are; at a first start one, so that there is somewhere to provision to. */
function directoriesOf({ environment }: Simulator): Directory[] {
  if (environment.organizations.length === 0) {
    // It was there before the application was: nothing is told of it.
    environment.silently(() => {
      const { id } = environment.createOrganization({ displayName: 'Acme' })
      environment.createDirectory(id)
    })
  }
  return environment.organizations.flatMap(({ id }) => environment.directoriesOf(id))
}

function sayAttempts({ deliveries }: Simulator): void {
  const known = new WeakSet<Attempt>()
  deliveries.onChange((message) => {
    for (const { attempts, endpointId } of message.deliveries) {
      const endpoint = deliveries.endpoints.find(({ id }) => id === endpointId)
      const where = endpoint ? shownAddress(endpoint.url) : endpointId
      for (const attempt of attempts) {
        if (!known.has(attempt)) say(lineOf(message, attempt, where))
        known.add(attempt)
      }
    }
  })
}

function lineOf({ id, event }: Message, attempt: Attempt, where: string): string {
  const { response, error = 'no answer', durationMs, number, startedAtMs } = attempt
  const answer = response
    ? [response.status, response.headers['scalekit-scim-outcome']].filter(Boolean).join(' ')
    : error
  return [
    new Date(startedAtMs).toISOString().slice(11, 19),
    event.type.replace(/^organization\.(directory\.)?/, ''),
    id,
    number > 1 ? `attempt ${number}` : '',
    styled(isDeliveredStatus(response?.status) ? 'green' : 'red', printable(answer)),
    styled('dim', `${Math.round(durationMs)} ms ${where}`),
  ]
    .filter(Boolean)
    .join('  ')
}

/** An attempt that is under way is heard to its end; who waits for that is told. */
function sayGoodbye({ deliveries }: Simulator, { json }: SimulateOptions): void {
  const underWay = deliveries.messages
    .flatMap((message) => message.deliveries)
    .reduce((sum, { attemptsUnderWay }) => sum + attemptsUnderWay, 0)
  const wait =
    underWay === 0
      ? 'Stopping.'
      : `Stopping, once what is under way is answered (${underWay}), in 10 s at most. Press Ctrl-C again to stop at once.`
  if (!json) say(`\n${wait}`)
  else if (underWay > 0) complain(wait)
}
