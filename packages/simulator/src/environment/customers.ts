import { isDeepStrictEqual } from 'node:util'
import { type Randomness, randomText } from '../randomness.ts'
import type { Chronicle } from './chronicle.ts'
import { nonEmpty } from './errors.ts'
import { directoryEvent } from './events.ts'
import type { Holdings } from './holdings.ts'
import type { Directory, Organization } from './records.ts'
import type { NewDirectory, NewOrganization, OrganizationPatch } from './requests.ts'

/** Changes to customers and their directories. */
export class Customers {
  readonly #holdings: Holdings
  readonly #chronicle: Chronicle
  readonly #randomness: Randomness

  constructor(holdings: Holdings, chronicle: Chronicle, randomness: Randomness) {
    this.#holdings = holdings
    this.#chronicle = chronicle
    this.#randomness = randomness
  }

  createOrganization({ id, displayName, externalId }: NewOrganization): Organization {
    const atMicros = this.#chronicle.stamp()
    const organization: Organization = {
      id: this.#chronicle.idFor('org', id),
      displayName: nonEmpty('displayName', displayName),
      ...(externalId === undefined ? {} : { externalId }),
      createdAtMicros: atMicros,
      updatedAtMicros: atMicros,
    }
    this.#holdings.putOrganization(organization)
    return organization
  }

  updateOrganization(id: string, patch: OrganizationPatch): Organization {
    const before = this.#holdings.organization(id)
    const after = { ...before, ...patch }
    nonEmpty('displayName', after.displayName)
    if (isDeepStrictEqual(before, after)) return before
    const organization = { ...after, updatedAtMicros: this.#chronicle.stamp() }
    this.#holdings.putOrganization(organization)
    return organization
  }

  createDirectory(organizationId: string, options: NewDirectory): Directory {
    const { displayName } = this.#holdings.organization(organizationId)
    const { id, provider = 'OKTA', name = `${displayName} directory`, enabled = true } = options
    const atMicros = this.#chronicle.stamp()
    const directoryId = this.#chronicle.idFor('dir', id)
    const directory: Directory = {
      id: directoryId,
      organizationId,
      name,
      provider,
      enabled,
      // By its own id, so that one made after a restart has another token than the first.
      scimToken: `scim_${randomText(this.#randomness.fork(directoryId), 24)}`,
      createdAtMicros: atMicros,
      updatedAtMicros: atMicros,
    }
    this.#holdings.putDirectory(directory)
    if (enabled) {
      this.#chronicle.tell(atMicros, (envelope) => directoryEvent('enabled', directory, envelope))
    }
    return directory
  }

  setDirectoryEnabled(id: string, enabled: boolean): Directory {
    const before = this.#holdings.directory(id)
    if (before.enabled === enabled) return before
    const directory = { ...before, enabled, updatedAtMicros: this.#chronicle.stamp() }
    this.#holdings.putDirectory(directory)
    const change = enabled ? 'enabled' : 'disabled'
    this.#chronicle.tell(directory.updatedAtMicros, (envelope) => directoryEvent(change, directory, envelope))
    return directory
  }
}
