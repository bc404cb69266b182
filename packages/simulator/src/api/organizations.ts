import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect'
import { omitUndefined } from '@scalekit-scim/core/internal'
import type { OrganizationService } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/organizations/organizations_pb.js'
import type { Environment } from '../environment/environment.ts'
import type { Organization } from '../environment/records.ts'
import { organizationMessage } from './messages.ts'
import { type Page, pageOf } from './pages.ts'

/**
 * The limit in the API reference. Scalekit's descriptor does not contain a limit. The reference also has a minimum of
 * 10. The simulator accepts smaller pages, because Scalekit's quickstart requests smaller pages.
 */
const maxPageSize = 100

type Identities = { case: 'id' | 'externalId'; value: string } | { case: undefined; value?: undefined }

/** Answers the calls of the SDK's `organization` client. Ignores slugs, logos, metadata and settings. */
export function organizationService(
  environment: Environment,
): Partial<ServiceImpl<typeof OrganizationService>> {
  const identified = (identities: Identities): Organization => {
    if (identities.case === 'id') return environment.organization(identities.value)
    if (identities.case === 'externalId') return environment.organizationByExternalId(identities.value)
    throw new ConnectError('id or external_id is required', Code.InvalidArgument)
  }
  const described = (organization: Organization) => ({ organization: organizationMessage(organization) })
  const get = ({ identities }: { identities: Identities }) => described(identified(identities))
  const listed = ({ items, ...page }: Page<Organization>) => ({
    ...page,
    organizations: items.map(organizationMessage),
  })

  return {
    listOrganization(request, context) {
      if (request.pageSize > maxPageSize) {
        throw new ConnectError(`page_size: must be at most ${maxPageSize}`, Code.InvalidArgument)
      }
      const { externalId } = request
      const all = environment.organizations
      const found = externalId ? all.filter((organization) => organization.externalId === externalId) : all
      return listed(pageOf(found, `organizations ${externalId}`, request, context))
    },
    searchOrganization(request, context) {
      const query = request.query.toLowerCase()
      const found = environment.organizations.filter(({ id, displayName, externalId = '' }) =>
        [id, displayName, externalId].some((text) => text.toLowerCase().includes(query)),
      )
      return listed(pageOf(found, `organizations like ${query}`, request, context))
    },
    getOrganization: get,
    getOrganizationByExternalId: get,
    createOrganization({ organization }) {
      const { displayName = '', externalId } = organization ?? {}
      return described(environment.createOrganization({ displayName, ...omitUndefined({ externalId }) }))
    },
    updateOrganization({ identities, organization }) {
      const { id } = identified(identities)
      const { displayName, externalId } = organization ?? {}
      return described(environment.updateOrganization(id, omitUndefined({ displayName, externalId })))
    },
    deleteOrganization({ identities }) {
      environment.deleteOrganization(identified(identities).id)
      return {}
    },
  }
}
