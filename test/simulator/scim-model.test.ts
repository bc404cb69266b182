import type { DirectoryEvent } from '@scalekit-scim/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { enterprise, openScimDirectory, type ScimBody, type ScimDirectory } from './scim-directory.ts'
import { DirectoryModel } from './scim-model.ts'
import { carryOut, request } from './scim-requests.ts'

const seed = Number(process.env.FC_SEED ?? 20_261_124)

it(`the server has the state and the events of a simple model after each of many requests (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 5, maxLength: 30 }), async (requests) => {
      const scim = await openScimDirectory()
      try {
        const model = new DirectoryModel()
        const mirror = new Mirror()
        for (const made of requests) {
          const { status, wanted } = await carryOut(scim, model, made)
          expect({ made, status }).toEqual({ made, status: wanted })
          for (const event of scim.events.splice(0)) mirror.take(event)
          const expected = shown(model)
          expect(await held(scim)).toEqual(expected)
          expect(mirror.content).toEqual(expected)
        }
      } finally {
        await scim.close()
      }
    }),
    { seed, numRuns: 60 },
  )
})

interface Content {
  users: Record<string, unknown>
  groups: Record<string, unknown>
}

function shown({ people, teams }: DirectoryModel): Content {
  const groupsOf = (id: string) =>
    [...teams].filter(([, { members }]) => members.has(id)).map(([teamId]) => teamId)
  return {
    users: Object.fromEntries(
      [...people].map(([id, person]) => [id, { ...person, groups: groupsOf(id).sort() }]),
    ),
    groups: Object.fromEntries([...teams].map(([id, { displayName }]) => [id, displayName])),
  }
}

/** The state that the server shows, with memberships of users and of groups. */
async function held(scim: ScimDirectory): Promise<Content> {
  const users = (await scim.get('/Users?count=1000')).Resources
  const groups = (await scim.get('/Groups?count=1000')).Resources
  for (const { id, members = [] } of groups) {
    const ofUsers = users.filter((user) => groupIdsOf(user).includes(id)).map((user) => user.id)
    expect(members.map(({ value }) => value).sort()).toEqual(ofUsers.sort())
  }
  return {
    users: Object.fromEntries(users.map((user) => [user.id, personOf(user)])),
    groups: Object.fromEntries(groups.map(({ id, displayName }) => [id, displayName])),
  }
}

function personOf(user: ScimBody) {
  const { userName, active, title, emails, [enterprise]: extension } = user
  return {
    userName,
    active,
    title,
    email: Array.isArray(emails) ? emails.find(({ type }) => type === 'work')?.value : undefined,
    department: Object(extension).department,
    groups: groupIdsOf(user),
  }
}

function groupIdsOf({ groups }: ScimBody): string[] {
  return Array.isArray(groups) ? groups.map(({ value }) => value).sort() : []
}

/** The state of an application that receives only the events. */
class Mirror {
  readonly content: Content = { users: {}, groups: {} }

  take({ type, data }: DirectoryEvent): void {
    const { users, groups } = this.content
    if (type === 'organization.directory.user_deleted') delete users[data.id]
    else if (type === 'organization.directory.group_deleted') delete groups[data.id]
    else if (
      type === 'organization.directory.group_created' ||
      type === 'organization.directory.group_updated'
    ) {
      groups[data.id] = data.display_name
    } else if (
      type === 'organization.directory.user_created' ||
      type === 'organization.directory.user_updated'
    ) {
      users[data.id] = {
        userName: data.preferred_username,
        active: data.active,
        title: data.title,
        email: data.email,
        department: data.department,
        groups: (data.groups ?? []).map(({ id }) => id).sort(),
      }
    }
  }
}
