import type { Directory, Simulator } from '@scalekit-scim/simulator'
import { secretVariable, shownAddress } from './endpoint.ts'
import { printable, say, styled } from './terminal.ts'

const clockNote =
  '  Clock     The clock differs from real time. Above 300 s, receivers refuse the signatures.'

type Summary = ReturnType<typeof summaryOf>

/**
 * Returns the addresses and variables that an application needs. The result contains only generated secrets, because
 * the user must copy them.
 */
export function summaryOf(
  { url, variables, deliveries }: Simulator,
  directories: Directory[],
  givenSecret?: string,
) {
  const generated = (secret: string | undefined) => (secret === givenSecret ? undefined : secret)
  return {
    url,
    console: url,
    scim: directories.map(({ id, name, scimToken }) => ({
      directoryId: id,
      name,
      url: `${url}/scim/v2/${id}`,
      token: scimToken,
    })),
    endpoints: deliveries.endpoints.map((endpoint) => ({
      id: endpoint.id,
      url: shownAddress(endpoint.url),
      secret: generated(endpoint.secrets[0]),
    })),
    variables: Object.fromEntries(
      Object.entries(variables).filter(([name, value]) => name !== secretVariable || generated(value)),
    ),
  }
}

/** Prints the summary as text. */
export function introduce({ url, scim, endpoints, variables }: Summary, clockSpeed: number): void {
  say(`The simulator is running at ${styled('bold', url)}. Ctrl-C stops it.\n`)
  say(`  Console   ${url}`)
  for (const directory of scim) {
    say(`  SCIM      ${directory.url}  ${styled('dim', printable(directory.name))}`)
    say(`  Token     ${directory.token}`)
  }
  if (clockSpeed !== 1) say(clockNote)
  const [first, ...others] = endpoints
  if (!first) say('  Webhooks  no endpoint: give --endpoint URL, or add an endpoint in the console')
  for (const endpoint of endpoints) say(`  Webhooks  ${endpoint.url}`)

  say('\nFor the environment of your application:\n')
  for (const [name, value] of Object.entries(variables)) say(`  ${name}=${value}`)
  if (first && first.secret === undefined) say(`  # ${secretVariable} is the secret that you gave.`)
  for (const endpoint of others) {
    if (endpoint.secret !== undefined) say(`  # at ${endpoint.url}: ${secretVariable}=${endpoint.secret}`)
  }
  say('\nFinished deliveries:\n')
}
