import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSimulator, type Simulator, SnapshotError } from '@scalekit-scim/simulator'
import { describe, expect, it, onTestFinished } from 'vitest'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'simulator-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

/** Creates an organization with a user in a group. */
function fill({ environment }: Simulator) {
  const organization = environment.createOrganization({ displayName: 'Acme', externalId: 'acme' })
  const directory = environment.createDirectory(organization.id)
  const group = environment.createGroup(directory.id, { displayName: 'Sales' })
  const user = environment.createUser(directory.id, {
    active: false,
    attributes: { userName: 'ann', title: 'CTO' },
    extra: { 'urn:example': { badge: 7 } },
    groupIds: [group.id],
  })
  return { organization, directory, group, user }
}

it('the simulator saves its state at close, and the next start restores this state', async () => {
  const file = join(await folder(), 'simulator.json')
  const endpoint = { url: 'http://127.0.0.1:9/webhooks' }
  const first = await createSimulator({ file, endpoints: [endpoint] })
  const { organization, directory, group, user } = fill(first)
  const secrets = first.variables
  await first.close()

  await using second = await createSimulator({ file, endpoints: [endpoint] })
  const { environment } = second
  expect(environment.id).toBe(first.environment.id)
  expect(environment.organizationByExternalId('acme')).toEqual(organization)
  expect(environment.directory(directory.id)).toEqual(directory)
  expect(environment.group(group.id)).toEqual(group)
  expect(environment.user(user.id)).toEqual(user)
  expect(environment.contents(directory.id).membersOf(group.id)).toEqual([user])
  expect(second.deliveries.endpoints).toEqual(first.deliveries.endpoints)
  expect({ ...second.variables, SCALEKIT_ENVIRONMENT_URL: '' }).toEqual({
    ...secrets,
    SCALEKIT_ENVIRONMENT_URL: '',
  })

  const another = environment.createDirectory(organization.id)
  expect(another.id).not.toBe(directory.id)
  expect(another.scimToken).not.toBe(directory.scimToken)
  expect(another.createdAtMicros).toBeGreaterThan(user.updatedAtMicros)
})

it('the simulator saves soon after a change, atomically and readable by its owner only', async () => {
  const path = await folder()
  const file = join(path, 'simulator.json')
  const simulator = await createSimulator({ file })
  const { user } = fill(simulator)
  await expect.poll(() => readFile(file, 'utf8').catch(() => '')).toContain(user.id)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  await simulator.close()
  expect(await readdir(path)).toEqual(['simulator.json'])
})

it('the simulator rejects at close if it cannot write', async () => {
  const path = join(await folder(), 'gone')
  await mkdir(path)
  const simulator = await createSimulator({ file: join(path, 'simulator.json') })
  fill(simulator)
  await rm(path, { recursive: true })
  await expect(simulator.close()).rejects.toMatchObject({ name: 'SnapshotError', reason: 'unusable' })
})

describe('the start is refused, with the fix, for', () => {
  it('a file in a folder that does not exist', async () => {
    const file = join(await folder(), 'missing', 'simulator.json')
    const refused = await createSimulator({ file }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(SnapshotError)
    expect(refused).toMatchObject({
      reason: 'unusable',
      message: `${file} cannot be written (ENOENT). Choose a file that you can read and write, in an existing folder.`,
    })
  })

  it('a folder', async () => {
    const path = await folder()
    const refused = await createSimulator({ file: path }).catch((error: unknown) => error)
    expect(refused).toMatchObject({
      reason: 'unusable',
      message: `${path} cannot be read (EISDIR). Choose a file that you can read and write, in an existing folder.`,
    })
    await expect(stat(`${path}.lock`)).rejects.toThrow('ENOENT')
  })

  it('a file of another simulator, until that one is closed', async () => {
    const file = join(await folder(), 'simulator.json')
    const first = await createSimulator({ file })
    const { organization } = fill(first)
    const refused = await createSimulator({ file }).catch((error: unknown) => error)
    expect(refused).toMatchObject({
      name: 'SnapshotError',
      reason: 'in-use',
      message: `${file} is in use by the simulator with process id ${process.pid}. Stop that simulator, or choose another file. If that process is not a simulator, delete ${file}.lock.`,
    })
    await first.close()
    await using second = await createSimulator({ file })
    expect(second.environment.organization(organization.id)).toEqual(organization)
  })

  it('a file that another process has locked', async () => {
    const file = join(await folder(), 'simulator.json')
    await writeFile(`${file}.lock`, `${process.ppid} simulator`)
    await expect(createSimulator({ file })).rejects.toMatchObject({ reason: 'in-use' })
  })
})

it.each([
  ['of a process that has ended', () => `${spawnSync(process.execPath, ['--version']).pid} simulator`],
  ['of an earlier process with the same id, as in a container', () => `${process.pid} simulator`],
  ['that is empty', () => ''],
])('the simulator opens a file with a lock %s', async (_, lock) => {
  const file = join(await folder(), 'simulator.json')
  await writeFile(`${file}.lock`, lock())
  await using simulator = await createSimulator({ file })
  fill(simulator)
})

it('the simulator leaves no lock if it does not start', async () => {
  const path = await folder()
  const file = join(path, 'simulator.json')
  await writeFile(file, 'no JSON')
  await expect(createSimulator({ file })).rejects.toThrow(SnapshotError)
  await rm(file)
  await expect(createSimulator({ file, host: '192.0.2.1' })).rejects.toThrow('EADDRNOTAVAIL')
  expect(await readdir(path)).toEqual([])
})

describe('an invalid file is an error with the fix:', () => {
  it.each([
    ['not JSON', '{"version":1,', 'the content is not JSON'],
    ['a list', '[]', 'another program wrote the file'],
    ['of another version', '{"version":2}', 'the version is 2, not 1'],
    ['without records', '{"version":1,"environment":{"id":"env_1"}}', "'environment' is invalid"],
    ['without endpoints', '{"version":1,"deliveries":{}}', "'deliveries' is invalid"],
  ])('%s', async (_, text, reason) => {
    const file = join(await folder(), 'simulator.json')
    await writeFile(file, text)
    const start = createSimulator({ file })
    await expect(start).rejects.toThrow(SnapshotError)
    await expect(start).rejects.toThrow(`${file} cannot be loaded: ${reason}. To start with an empty`)
    expect(await readFile(file, 'utf8')).toBe(text)
  })
})

it('the simulator saves an endpoint and a rotated secret without another change', async () => {
  const file = join(await folder(), 'simulator.json')
  const first = await createSimulator({ file })
  const { id } = first.deliveries.addEndpoint({ url: 'http://127.0.0.1:9/webhooks' })
  first.deliveries.rotateSecret(id)
  await expect.poll(() => readFile(file, 'utf8').catch(() => '')).toContain(id)
  const { endpoints } = first.deliveries
  await first.close()

  await using second = await createSimulator({ file })
  expect(second.deliveries.endpoints).toEqual(endpoints)
})

it('a stopped clock continues at its saved time', async () => {
  const file = join(await folder(), 'simulator.json')
  const first = await createSimulator({ file, clockSpeed: 0 })
  await first.step(86_400_000)
  const leftAtMs = first.clock.now()
  await first.close()

  await using second = await createSimulator({ file, clockSpeed: 0 })
  expect(second.clock.now()).toBe(leftAtMs)
})

describe('a file that was edited by hand is refused with its name and the problem:', () => {
  interface Edited {
    environment: Record<'organizations' | 'directories' | 'groups' | 'users', Record<string, unknown>[]>
    deliveries: { endpoints: Record<string, unknown>[]; messages: unknown[] }
  }

  const invalidDeliveries = "'deliveries' is invalid"
  const edits: [what: string, edit: (saved: Edited) => unknown, message: RegExp | string][] = [
    [
      'no organization',
      ({ environment }) => environment.organizations.pop(),
      /dir_\w+ refers to org_\w+, which does not exist/,
    ],
    [
      'no directory',
      ({ environment }) => environment.directories.pop(),
      /dirgroup_\w+ refers to dir_\w+, which does not exist/,
    ],
    [
      'no group',
      ({ environment }) => environment.groups.pop(),
      /diruser_\w+ refers to dirgroup_\w+, which does not exist/,
    ],
    [
      'two users with one userName',
      ({ environment: { users } }) => users.push({ ...users[0], id: 'diruser_2' }),
      'another user of the directory has this userName',
    ],
    ['an invalid message', ({ deliveries }) => deliveries.messages.push({}), invalidDeliveries],
    ['no endpoint', ({ deliveries }) => deliveries.endpoints.pop(), invalidDeliveries],
    [
      'an invalid secret',
      ({ deliveries: { endpoints } }) =>
        Object.assign(endpoints[0] ?? {}, { secrets: [{ secret: 'whsec_*' }] }),
      invalidDeliveries,
    ],
    [
      'a URL that is not of a web server',
      ({ deliveries: { endpoints } }) => Object.assign(endpoints[0] ?? {}, { url: 'ftp://127.0.0.1/' }),
      invalidDeliveries,
    ],
  ]
  it.each(edits)('%s', async (_, edit, message) => {
    const file = join(await folder(), 'simulator.json')
    const first = await createSimulator({ file, endpoints: [{ url: 'http://127.0.0.1:9/webhooks' }] })
    fill(first)
    await first.close()
    const saved = JSON.parse(await readFile(file, 'utf8'))
    edit(saved)
    await writeFile(file, JSON.stringify(saved))

    const refused = await createSimulator({ file }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'SnapshotError', reason: 'broken' })
    expect(refused).toHaveProperty('message', expect.stringMatching(message))
    expect(refused).toHaveProperty('message', expect.stringContaining(`${file} cannot be loaded: `))
  })
})
