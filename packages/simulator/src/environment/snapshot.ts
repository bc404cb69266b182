import { z } from 'zod'
import type { RecordsSnapshot } from './environment-records.ts'
import type { PublisherSnapshot } from './event-publisher.ts'

/** A whole environment, as JSON. */
export interface EnvironmentSnapshot extends PublisherSnapshot, RecordsSnapshot {}

const text = z.string()
const record = z.looseObject({ id: text, createdAtMicros: z.number(), updatedAtMicros: z.number() })
const contained = record.extend({ organizationId: text, directoryId: text, externalId: text.optional() })
const snapshot = z.looseObject({
  id: text,
  ids: z.looseObject({ prefix: text, count: z.number() }),
  lastMicros: z.number(),
  organizations: z.array(record.extend({ displayName: text })),
  directories: z.array(record.extend({ organizationId: text, name: text, provider: text, scimToken: text })),
  groups: z.array(contained.extend({ displayName: text })),
  users: z.array(
    contained.extend({
      active: z.boolean(),
      attributes: z.looseObject({ userName: text }),
      groupIds: z.array(text),
    }),
  ),
})

/** Returns whether a value from a file has the format of `Environment.export`. */
export function isEnvironmentSnapshot(saved: unknown): saved is EnvironmentSnapshot {
  return snapshot.safeParse(saved).success
}
