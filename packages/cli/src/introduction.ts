import type { Directory, Simulator } from '@scalekit-scim/simulator'
import { secretVariable, shownAddress } from './endpoint.ts'
import { printable, say, styled } from './terminal.ts'

const clockNote =
  '  Clock     differs from real time: over 5 minutes, a receiver refuses the signatures (`toleranceSeconds`)'

/**
 * Prints the addresses and variables that an application needs. Prints a secret only if it was generated, because the
 * user must copy it.
 */
export function introduce(simulator: Simulator, directories: Directory[], secret?: string): void {
  const { url, variables, deliveries, clock } = simulator
  say(`The simulator is up at ${styled('bold', url)}. Ctrl-C stops it.\n`)
  say(`  Console   ${url}`)
  for (const directory of directories) {
    say(`  SCIM      ${scimUrl(url, directory)}  ${styled('dim', printable(directory.name))}`)
    say(`  Token     ${directory.scimToken}`)
  }
  if (clock.speed !== 1) say(clockNote)
  const [first, ...others] = deliveries.endpoints
  if (!first) say('  Webhooks  not sent yet: give --endpoint URL, or add an endpoint in the console')
  for (const endpoint of deliveries.endpoints) say(`  Webhooks  ${shownAddress(endpoint.url)}`)

  say('\nFor the environment of your application:\n')
  for (const [name, value] of copyable(variables, secret)) say(`  ${name}=${value}`)
  if (first && generatedSecret(first.secrets, secret) === undefined) {
    say(`  # ${secretVariable} is the secret that you gave.`)
  }
  for (const endpoint of others) {
    const generated = generatedSecret(endpoint.secrets, secret)
    if (generated !== undefined) say(`  # at ${shownAddress(endpoint.url)}: ${secretVariable}=${generated}`)
  }
  say('\nDeliveries, as they end:\n')
}

/** Returns the same information as an object, for `--json`. */
export function summaryOf(simulator: Simulator, directories: Directory[], secret?: string) {
  const { url, variables, deliveries } = simulator
  return {
    url,
    console: url,
    scim: directories.map((directory) => ({
      directoryId: directory.id,
      name: directory.name,
      url: scimUrl(url, directory),
      token: directory.scimToken,
    })),
    endpoints: deliveries.endpoints.map((endpoint) => ({
      id: endpoint.id,
      url: shownAddress(endpoint.url),
      secret: generatedSecret(endpoint.secrets, secret),
    })),
    variables: Object.fromEntries(copyable(variables, secret)),
  }
}

function scimUrl(url: string, { id }: Directory): string {
  return `${url}/scim/v2/${id}`
}

function generatedSecret([newest]: readonly string[], given: string | undefined): string | undefined {
  return newest === given ? undefined : newest
}

function copyable(variables: Simulator['variables'], secret: string | undefined): [string, string][] {
  return Object.entries(variables).filter(([name, value]) => name !== secretVariable || value !== secret)
}
