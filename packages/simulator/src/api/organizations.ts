import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect'
import type { OrganizationService } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/organizations/organizations_pb.js'
import type { Organization } from '../environment/records.ts'
import { occasionKey } from './context.ts'
import type { ServiceOptions } from './directories.ts'
import { organizationMessage } from './messages.ts'
import { pageOf } from './pages.ts'

/** The reference has it, the descriptor does not; of its least, 10, Scalekit's own quickstart takes no notice. */
const longestPage = 100

type Identities = { case: 'id' | 'externalId'; value: string } | { case: undefined; value?: undefined }

/** The calls behind the SDK's `organization` client. Slugs, logos, metadata and settings are not simulated. */
export function organizationService({
  environment,
  faults,
}: Omit<ServiceOptions, 'url'>): Partial<ServiceImpl<typeof OrganizationService>> {
  const identified = (identities: Identities): Organization => {
    if (identities.case === 'id') return environment.organization(identities.value)
    if (identities.case === 'externalId') return environment.organizationByExternalId(identities.value)
    throw new ConnectError('id or external_id is needed', Code.InvalidArgument)
  }
  const get = ({ identities }: { identities: Identities }) => ({
    organization: organizationMessage(identified(identities)),
  })

  return {
    listOrganization(request, { values }) {
      if (request.pageSize > longestPage) {
        throw new ConnectError(`page_size: must be at most ${longestPage}`, Code.InvalidArgument)
      }
      const { externalId } = request
      const all = environment.organizations
      const wanted = externalId ? all.filter((organization) => organization.externalId === externalId) : all
      const listing = `organizations ${externalId}`
      const { items, ...page } = pageOf(wanted, listing, request, faults, values.get(occasionKey))
      return { ...page, organizations: items.map(organizationMessage) }
    },
    searchOrganization(request, { values }) {
      const sought = request.query.toLowerCase()
      const wanted = environment.organizations.filter(({ id, displayName, externalId = '' }) =>
        [id, displayName, externalId].some((text) => text.toLowerCase().includes(sought)),
      )
      const listing = `organizations like ${sought}`
      const { items, ...page } = pageOf(wanted, listing, request, faults, values.get(occasionKey))
      return { ...page, organizations: items.map(organizationMessage) }
    },
    getOrganization: get,
    getOrganizationByExternalId: get,
    createOrganization({ organization }) {
      const { displayName = '', externalId } = organization ?? {}
      const made = environment.createOrganization({
        displayName,
        ...(externalId === undefined ? {} : { externalId }),
      })
      return { organization: organizationMessage(made) }
    },
    updateOrganization({ identities, organization }) {
      const { id } = identified(identities)
      const { displayName, externalId } = organization ?? {}
      const changed = environment.updateOrganization(id, {
        ...(displayName === undefined ? {} : { displayName }),
        ...(externalId === undefined ? {} : { externalId }),
      })
      return { organization: organizationMessage(changed) }
    },
    deleteOrganization({ identities }) {
      environment.deleteOrganization(identified(identities).id)
      return {}
    },
  }
}
