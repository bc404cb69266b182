import { EnvironmentError, type EnvironmentErrorReason } from '../environment/errors.ts'

/** RFC 7644, 3.12, table 9. */
export type ScimType =
  | 'invalidFilter'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'

const messageSchema = 'urn:ietf:params:scim:api:messages:2.0:Error'

export class ScimError extends Error {
  readonly status: number
  readonly scimType: ScimType | undefined

  constructor(status: number, detail: string, scimType?: ScimType) {
    super(detail)
    this.name = 'ScimError'
    this.status = status
    this.scimType = scimType
  }

  /** RFC 7644, 3.12: the status goes as a string. */
  get body() {
    return {
      schemas: [messageSchema],
      status: String(this.status),
      ...(this.scimType === undefined ? {} : { scimType: this.scimType }),
      detail: this.message,
    }
  }
}

export function badRequest(scimType: ScimType, detail: string): ScimError {
  return new ScimError(400, detail, scimType)
}

const byReason: Readonly<Record<EnvironmentErrorReason, readonly [status: number, scimType?: ScimType]>> = {
  'not-found': [404],
  invalid: [400, 'invalidValue'],
  conflict: [409, 'uniqueness'],
  'directory-disabled': [403],
}

export function toScimError(error: unknown): ScimError {
  if (error instanceof ScimError) return error
  if (error instanceof EnvironmentError) {
    const [status, scimType] = byReason[error.reason]
    return new ScimError(status, error.message, scimType)
  }
  const status = statusOf(error)
  if (status === 413) return new ScimError(413, 'the body is too large')
  if (status !== undefined && status < 500) {
    return badRequest('invalidSyntax', 'the request cannot be read: its body must be JSON')
  }
  return new ScimError(500, 'the simulator has failed: its standard error says why')
}

/** Express's body parser says in `status` whose fault it was. */
function statusOf(error: unknown): number | undefined {
  const isTagged = typeof error === 'object' && error !== null && 'status' in error
  return isTagged && typeof error.status === 'number' ? error.status : undefined
}
