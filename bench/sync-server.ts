// Runs the simulator in a separate process, so that the measured cost of the reader does not include the simulator.
// Arguments: the number of directories, and the number of users in each directory. Each directory belongs to its own
// organization. The ids of users are `diruser_0` and so on.
import { createSimulator, type SimulatorFaults } from '@scalekit-scim/simulator'

const [directoryCount = 1, userCount = 0] = process.argv.slice(2).map(Number)
const simulator = await createSimulator()
const { environment } = simulator
const directories = Array.from({ length: directoryCount }, (_, index) => {
  const organization = environment.createOrganization({ displayName: `Customer ${index}` })
  return { organizationId: organization.id, id: environment.createDirectory(organization.id).id }
})
for (let number = 0; number < directoryCount * userCount; number++) {
  environment.createUser(directories[Math.floor(number / userCount)]?.id ?? '', {
    id: `diruser_${number}`,
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
process.send?.({ variables: simulator.variables, directories })
