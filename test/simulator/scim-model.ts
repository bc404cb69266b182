// A simple model of a directory after SCIM requests. It shares no code with the server.

export interface Person {
  userName: string
  active: boolean
  title: string | undefined
  email: string | undefined
  department: string | undefined
}

export interface Team {
  displayName: string
  members: Set<string>
}

/** The changes of a request. Absent fields stay as they are. */
export type PersonChange = Partial<Omit<Person, 'userName'>>

export class DirectoryModel {
  readonly people = new Map<string, Person>()
  readonly teams = new Map<string, Team>()
  /** The ids of all people, also of deleted ones. */
  readonly personIds: string[] = ['diruser_none']
  readonly teamIds: string[] = ['dirgroup_none']

  isTaken(userName: string, exceptId?: string): boolean {
    return [...this.people].some(
      ([id, person]) => id !== exceptId && person.userName.toUpperCase() === userName.toUpperCase(),
    )
  }

  areHere(memberIds: readonly string[]): boolean {
    return memberIds.every((id) => this.people.has(id))
  }

  addPerson(id: string, person: Person): void {
    this.people.set(id, person)
    this.personIds.push(id)
  }

  addTeam(id: string, team: Team): void {
    this.teams.set(id, team)
    this.teamIds.push(id)
  }

  removePerson(id: string): void {
    this.people.delete(id)
    for (const { members } of this.teams.values()) members.delete(id)
  }
}
