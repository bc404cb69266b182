import fc from 'fast-check'
import { enterprise, type ScimDirectory } from './scim-directory.ts'
import type { DirectoryModel, Person, PersonChange } from './scim-model.ts'

// Random requests, with the status and the state that the model expects for each.

const number = fc.nat({ max: 30 })
const userName = fc.constantFrom('ada', 'ADA', 'grace', 'alan', 'Alan', 'edsger')
const text = fc.constantFrom('one', 'two', 'three')
const person = fc.record({
  userName,
  active: fc.boolean(),
  title: fc.option(text, { nil: undefined }),
  email: fc.option(text, { nil: undefined }),
  department: fc.option(text, { nil: undefined }),
})
const change = fc.record(
  { active: fc.boolean(), title: text, email: text, department: text },
  { requiredKeys: [] },
)
const members = fc.array(number, { maxLength: 4 })

export const request = fc.oneof(
  fc.record({ kind: fc.constant('create person'), person }),
  fc.record({ kind: fc.constant('replace person'), number, person }),
  fc.record({
    kind: fc.constant('patch person'),
    number,
    change,
    form: fc.constantFrom('paths', 'object', 'capitals'),
  }),
  fc.record({ kind: fc.constant('clear'), number, name: fc.constantFrom('title', 'email', 'department') }),
  fc.record({ kind: fc.constant('remove person'), number }),
  fc.record({ kind: fc.constant('create team'), name: text, members }),
  fc.record({ kind: fc.constant('replace team'), number, name: text, members }),
  fc.record({
    kind: fc.constant('patch team'),
    number,
    members,
    op: fc.constantFrom('add', 'Remove', 'remove each', 'replace'),
  }),
  fc.record({ kind: fc.constant('rename team'), number, name: text }),
  fc.record({ kind: fc.constant('remove team'), number }),
)
export type Request = typeof request extends fc.Arbitrary<infer Made> ? Made : never

/** Sends the request and applies it to the model. Returns the actual and the expected status. */
export async function carryOut(scim: ScimDirectory, model: DirectoryModel, made: Request) {
  const idOf = (ids: readonly string[], number: number) => ids[number % ids.length] ?? ''
  const personId = 'number' in made ? idOf(model.personIds, made.number) : ''
  const teamId = 'number' in made ? idOf(model.teamIds, made.number) : ''
  const memberIds = 'members' in made ? made.members.map((number) => idOf(model.personIds, number)) : []
  const memberList = memberIds.map((value) => ({ value }))
  const known = model.people.get(personId)
  const team = model.teams.get(teamId)

  switch (made.kind) {
    case 'create person': {
      const { status, body } = await scim.send('POST', '/Users', resourceOf(made.person))
      const isTaken = model.isTaken(made.person.userName)
      if (!isTaken) model.addPerson(body.id, made.person)
      return { status, wanted: isTaken ? 409 : 201 }
    }
    case 'replace person': {
      const { status } = await scim.send('PUT', `/Users/${personId}`, resourceOf(made.person))
      if (!known) return { status, wanted: 404 }
      if (model.isTaken(made.person.userName, personId)) return { status, wanted: 409 }
      model.people.set(personId, made.person)
      return { status, wanted: 200 }
    }
    case 'patch person': {
      const operations = operationsOf(made.change, made.form)
      if (operations.length === 0) return { status: 0, wanted: 0 }
      const { status } = await scim.patch(`/Users/${personId}`, ...operations)
      if (known) Object.assign(known, made.change)
      return { status, wanted: known ? 200 : 404 }
    }
    case 'clear': {
      const name = made.name as 'title' | 'email' | 'department'
      const { status } = await scim.patch(`/Users/${personId}`, { op: 'remove', path: wholePaths[name] })
      if (known) known[name] = undefined
      return { status, wanted: known ? 200 : 404 }
    }
    case 'remove person': {
      const { status } = await scim.send('DELETE', `/Users/${personId}`)
      model.removePerson(personId)
      return { status, wanted: known ? 204 : 404 }
    }
    case 'create team': {
      const { status, body } = await scim.send('POST', '/Groups', {
        displayName: made.name,
        members: memberList,
      })
      if (!model.areHere(memberIds)) return { status, wanted: 400 }
      model.addTeam(body.id, { displayName: made.name, members: new Set(memberIds) })
      return { status, wanted: 201 }
    }
    case 'replace team': {
      const resource = { displayName: made.name, members: memberList }
      const { status } = await scim.send('PUT', `/Groups/${teamId}`, resource)
      if (!team) return { status, wanted: 404 }
      if (!model.areHere(memberIds)) return { status, wanted: 400 }
      model.teams.set(teamId, { displayName: made.name, members: new Set(memberIds) })
      return { status, wanted: 200 }
    }
    case 'patch team': {
      if (memberIds.length === 0) return { status: 0, wanted: 0 }
      const operations =
        made.op === 'remove each'
          ? memberIds.map((id) => ({ op: 'remove', path: `members[value eq "${id}"]` }))
          : [{ op: made.op, path: 'members', value: memberList }]
      const { status } = await scim.patch(`/Groups/${teamId}`, ...operations)
      if (!team) return { status, wanted: 404 }
      const removes = made.op.toLowerCase().startsWith('remove')
      if (!removes && !model.areHere(memberIds)) return { status, wanted: 400 }
      if (made.op === 'replace') team.members.clear()
      for (const id of memberIds) removes ? team.members.delete(id) : team.members.add(id)
      return { status, wanted: 204 }
    }
    case 'rename team': {
      const { status } = await scim.patch(`/Groups/${teamId}`, {
        op: 'replace',
        value: { displayName: made.name },
      })
      if (team) team.displayName = made.name
      return { status, wanted: team ? 204 : 404 }
    }
    default: {
      const { status } = await scim.send('DELETE', `/Groups/${teamId}`)
      model.teams.delete(teamId)
      return { status, wanted: team ? 204 : 404 }
    }
  }
}

const paths = {
  active: 'active',
  title: 'title',
  email: 'emails[type eq "work"].value',
  department: `${enterprise}:department`,
} as const
const wholePaths = { ...paths, email: 'emails[type eq "work"]' } as const

function operationsOf(change: PersonChange, form: string): object[] {
  const byPath = Object.entries(change).map(
    ([name, value]) => [paths[name as keyof typeof paths], value] as const,
  )
  if (form === 'object')
    return byPath.length > 0 ? [{ op: 'replace', value: Object.fromEntries(byPath) }] : []
  if (form === 'paths') return byPath.map(([path, value]) => ({ op: 'add', path, value }))
  const spelt = (value: unknown) => (typeof value === 'boolean' ? (value ? 'True' : 'False') : value)
  return byPath.map(([path, value]) => ({ op: 'Replace', path, value: spelt(value) }))
}

function resourceOf({ userName, active, title, email, department }: Person) {
  return {
    userName,
    active,
    title,
    ...(email === undefined ? {} : { emails: [{ value: email, type: 'work', primary: true }] }),
    ...(department === undefined ? {} : { [enterprise]: { department } }),
  }
}
