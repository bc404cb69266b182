import { z } from 'zod'
import { faultNames } from '../delivery/faults.ts'
import { providers } from '../environment/records.ts'

// The bodies and queries that the page sends. If a text field is `null`, the simulator removes its stored value.

const text = z.string().trim().min(1).max(500)

export const named = z.strictObject({ displayName: text })
export const newDirectory = z.strictObject({ name: text.optional(), provider: z.enum(providers).optional() })
export const userPatch = z.strictObject({
  givenName: text.nullish(),
  familyName: text.nullish(),
  email: text.nullish(),
  title: text.nullish(),
  active: z.boolean().optional(),
  groupIds: z.array(z.string()).max(1000).optional(),
})
export const newUser = userPatch.omit({ active: true }).extend({ givenName: text, email: text })
export const newEndpoint = z.strictObject({
  url: z.url().max(2000),
  secret: text.optional(),
  types: z.array(text).optional(),
})
export const step = z.strictObject({ seconds: z.number().min(0).max(604_800) })
export const faultShares = z.partialRecord(z.enum(faultNames), z.number().min(0).max(1))
export const usersQuery = z.object({
  search: z.string().default(''),
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(200).default(25),
})
export const messagesQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  only: z.enum(['undelivered']).optional(),
})
