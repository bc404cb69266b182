import { z } from 'zod'
import { directory, group, organization, user } from './records.ts'

/** The format of a whole environment in a file. */
export const environmentSnapshot = z.object({
  id: z.string(),
  ids: z.object({ prefix: z.string(), count: z.number() }),
  /** The newest time of a change. Later changes get a later time. */
  lastMicros: z.number(),
  organizations: z.array(organization),
  directories: z.array(directory),
  groups: z.array(group),
  users: z.array(user),
})

/** A whole environment, as JSON. */
export type EnvironmentSnapshot = z.infer<typeof environmentSnapshot>
