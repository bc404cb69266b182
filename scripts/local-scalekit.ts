import { createSimulator, type Environment, type Simulator } from '@scalekit-scim/simulator'
import { type App, freePort } from './app-process.ts'
import { bold, dim } from './terminal.ts'

const wantedPort = 4000

/** A local Scalekit with a customer in it, whose webhooks go to the application from now on. */
export async function startLocalScalekit(app: App): Promise<Simulator> {
  const simulator = await createSimulator({ port: await freePort(wantedPort) })
  simulator.deliveries.addEndpoint({ url: `${app.url}/webhooks/scalekit`, secret: app.secret })
  addCustomer(simulator.environment)
  await simulator.deliveries.idle()
  return simulator
}

export function introduce(app: App, { url }: Simulator): void {
  console.log(`
  ${bold('Console')}       ${url}   ${dim('a customer’s directory: press “Hire” …')}
  ${bold('Application')}   ${app.url}/?live   ${dim('… and the account is here a moment later')}

  ${dim(`The console also shows each delivery with its attempts, and a SCIM endpoint for any
  SCIM client. ${url} is also what the SDK takes for Scalekit.`)}
`)
}

function addCustomer(environment: Environment): void {
  const { id: organizationId } = environment.createOrganization({ displayName: 'Acme' })
  const { id: directoryId } = environment.createDirectory(organizationId, { name: 'Okta' })
  const engineering = environment.createGroup(directoryId, { displayName: 'Engineering' })
  environment.createGroup(directoryId, { displayName: 'IT Admins' })
  environment.createUser(directoryId, {
    attributes: {
      userName: 'amelia.hart@example.com',
      email: 'amelia.hart@example.com',
      givenName: 'Amelia',
      familyName: 'Hart',
      title: 'Engineer',
    },
    groupIds: [engineering.id],
  })
}
