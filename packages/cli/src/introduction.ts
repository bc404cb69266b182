import type { Directory, Simulator } from '@scalekit-scim/simulator'
import { secretVariable, shownAddress } from './endpoint.ts'
import { printable, say, styled } from './terminal.ts'

const fastNote =
  '  Clock     not the real one: once they are 5 minutes apart, a receiver refuses what it signs (`toleranceSeconds`)'

/** For `--json`. */
export function summaryOf(
  { url, variables, deliveries }: Simulator,
  directories: Directory[],
  secret?: string,
) {
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
      // Undefined, and so not printed, if it is the secret that was given.
      secret: ownSecret(endpoint.secrets, secret),
    })),
    variables: Object.fromEntries(pastable(variables, secret)),
  }
}

/** For people. */
export function introduce(
  { url, variables, deliveries, clock }: Simulator,
  directories: Directory[],
  secret?: string,
): void {
  say(`The simulator is up at ${styled('bold', url)}. Ctrl-C stops it.\n`)
  say(`  Console   ${url}`)
  for (const directory of directories) {
    say(`  SCIM      ${scimUrl(url, directory)}  ${styled('dim', printable(directory.name))}`)
    say(`  Token     ${directory.scimToken}`)
  }
  if (clock.speed !== 1) say(fastNote)
  const [first, ...others] = deliveries.endpoints
  if (!first) say('  Webhooks  go nowhere yet: give --endpoint URL, or add one in the console')
  for (const endpoint of deliveries.endpoints) say(`  Webhooks  ${shownAddress(endpoint.url)}`)

  say('\nFor the environment of your application:\n')
  for (const [name, value] of pastable(variables, secret)) say(`  ${name}=${value}`)
  if (first && ownSecret(first.secrets, secret) === undefined)
    say(`  # ${secretVariable} is the one that you gave.`)
  for (const endpoint of others) {
    const own = ownSecret(endpoint.secrets, secret)
    if (own !== undefined) say(`  # at ${shownAddress(endpoint.url)}: ${secretVariable}=${own}`)
  }
  say('\nDeliveries, as they end:\n')
}

function scimUrl(url: string, { id }: Directory): string {
  return `${url}/scim/v2/${id}`
}

/** What was made here has to be said, to be pasted; what was given is a secret of somebody's, and is not repeated. */
function ownSecret([newest]: readonly string[], given: string | undefined): string | undefined {
  return newest === given ? undefined : newest
}

function pastable(variables: Simulator['variables'], secret: string | undefined): [string, string][] {
  return Object.entries(variables).filter(([name, value]) => name !== secretVariable || value !== secret)
}
