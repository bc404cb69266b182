import { isJsonObject } from '@scalekit-scim/core/internal'
import { z } from 'zod'
import { providers, type UserAttributes } from './records.ts'

const text = z.string()
const record = z.object({ id: text, createdAtMicros: z.number(), updatedAtMicros: z.number() })
const contained = record.extend({ organizationId: text, directoryId: text, externalId: text.exactOptional() })

/** The format of a whole environment in a file. */
export const environmentSnapshot = z.object({
  id: text,
  ids: z.object({ prefix: text, count: z.number() }),
  /** The newest time of a change. Later changes get a later time. */
  lastMicros: z.number(),
  organizations: z.array(record.extend({ displayName: text, externalId: text.exactOptional() })),
  directories: z.array(
    record.extend({
      organizationId: text,
      name: text,
      provider: z.enum(providers),
      enabled: z.boolean(),
      scimToken: text,
    }),
  ),
  groups: z.array(contained.extend({ displayName: text })),
  users: z.array(
    contained.extend({
      active: z.boolean(),
      attributes: z.custom<UserAttributes>(
        (saved) => isJsonObject(saved) && typeof saved.userName === 'string',
      ),
      extra: z.record(text, z.unknown()).exactOptional(),
      groupIds: z.array(text).readonly(),
    }),
  ),
})

/** A whole environment, as JSON. */
export type EnvironmentSnapshot = z.infer<typeof environmentSnapshot>
