import { createSimulator, type Environment, type Simulator } from '@scalekit-scim/simulator'
import { type App, freePort } from './app-process.ts'
import { bold, dim } from './terminal.ts'

const wantedPort = 4000

/**
 * The directory has enough people to remove one of them. A sync holds deletions of over half of a directory for an
 * approval.
 */
const people = [
  ['Amelia', 'Hart', 'Engineer'],
  ['Ben', 'Okafor', 'Engineer'],
  ['Chidi', 'Nwosu', 'Engineering Manager'],
  ['Dana', 'Lindqvist', 'Engineer'],
] as const

/** This interval is short, because a person is watching. */
const syncEverySeconds = 15

export async function startLocalScalekit(): Promise<Simulator> {
  return createSimulator({ port: await freePort(wantedPort) })
}

/** Returns the variables that the application's sync needs to find the simulator. */
export function syncVariables({ variables }: Simulator): Readonly<Record<string, string>> {
  // Each pass is full. Incremental passes do not find deletions, so a deletion would appear only after a day.
  return {
    ...variables,
    SYNC_EVERY_SECONDS: String(syncEverySeconds),
    SYNC_CRON: '',
    SYNC_FULL_EVERY_SECONDS: '1',
  }
}

/** Sends the simulator's webhooks to the application, and creates a customer. */
export async function connect({ deliveries, environment }: Simulator, app: App): Promise<void> {
  deliveries.addEndpoint({ url: `${app.url}/webhooks/scalekit`, secret: app.secret })
  addCustomer(environment)
  await deliveries.idle()
}

export function introduce(app: App, { url }: Simulator): void {
  console.log(`
  ${bold('Console')}       ${url}   ${dim('a customer’s directory: press “Add user” …')}
  ${bold('Application')}   ${app.url}/?live   ${dim('… and the account is here a moment later')}

  ${dim(`The console also shows each delivery with its attempts, and a SCIM endpoint for any
  SCIM client. Under “To …” you can make it drop messages. The application's sync runs
  every ${syncEverySeconds} seconds, and finds the people who were added or removed since then.`)}
`)
}

function addCustomer(environment: Environment): void {
  const { id: organizationId } = environment.createOrganization({ displayName: 'Acme' })
  const { id: directoryId } = environment.createDirectory(organizationId, { name: 'Okta' })
  const engineering = environment.createGroup(directoryId, { displayName: 'Engineering' })
  environment.createGroup(directoryId, { displayName: 'IT Admins' })
  for (const [givenName, familyName, title] of people) {
    const email = `${givenName}.${familyName}@example.com`.toLowerCase()
    const attributes = { userName: email, email, givenName, familyName, title }
    environment.createUser(directoryId, { attributes, groupIds: [engineering.id] })
  }
}
