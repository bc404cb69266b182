/** Names that blocks of the documentation may use without an import: parts of the reader's application. */
export const prelude = `
import type { DirectoryUser, Handlers } from '@scalekit-scim/core'
import type { Express } from 'express'

declare global {
  const app: Express
  const accounts: {
    upsert(user: DirectoryUser, more?: { roles?: string[] | undefined; occurredAt?: string }): Promise<void>
    disable(user: Pick<DirectoryUser, 'organization_id' | 'id'>): Promise<void>
    remove(user: Pick<DirectoryUser, 'organization_id' | 'id'>): Promise<void>
    isFull(organizationId: string): Promise<boolean>
  }
  const sessions: { endAll(user: Pick<DirectoryUser, 'organization_id' | 'id'>): Promise<void> }
  const apiKeys: { revokeAll(user: Pick<DirectoryUser, 'organization_id' | 'id'>): Promise<void> }
  const accountsOf: (environment: string) => typeof accounts
  const onUserUpserted: NonNullable<Handlers['onUserUpserted']>
  const metrics: { record(name: string, durationMs: number): void }
  const errors: { capture(error: unknown, fields: object): void }
}
`
