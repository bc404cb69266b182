interface Identified {
  readonly id: string
  readonly externalId?: string
}

/** An event's `dp_id`: the client's own id, or one of the directory's if the client gave none. */
export function dpId({ id, externalId }: Identified): string {
  return externalId ?? id.replace('diruser_', '00u').replace('dirgroup_', '00g')
}

/** RFC 7643, 3.1: the id is the client's. It stays if nothing is said of it, and goes if it is set to `null`. */
export function externalIdAfter(
  before: { readonly externalId?: string },
  change: string | null | undefined,
): { externalId?: string } {
  const externalId = change === undefined ? before.externalId : change
  return externalId === undefined || externalId === null ? {} : { externalId }
}
