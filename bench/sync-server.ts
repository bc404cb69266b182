// The simulator in a process of its own, so that what it costs is not counted as the reader's.
import { createSimulator, type SimulatorFaults } from '@scalekit-scim/simulator'

const userCount = Number(process.argv[2])
const simulator = await createSimulator()
const { environment } = simulator
const organization = environment.createOrganization({ displayName: 'Acme' })
const directory = environment.createDirectory(organization.id)
for (let number = 0; number < userCount; number++) {
  environment.createUser(directory.id, {
    attributes: {
      userName: `user.${number}`,
      email: `user.${number}@example.com`,
      givenName: 'Amelia',
      familyName: `Hart ${number}`,
      title: 'Engineer',
      department: 'Platform',
      employeeNumber: String(number),
    },
  })
}

process.on('message', (faults: SimulatorFaults) => {
  simulator.setFaults(faults)
  process.send?.('set')
})
process.on('disconnect', () => void simulator.close())
process.send?.({
  variables: simulator.variables,
  directory: { organizationId: organization.id, id: directory.id },
})
