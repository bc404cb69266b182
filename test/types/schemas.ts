import type {
  DeletedDirectoryUser,
  Directory,
  DirectoryGroup,
  DirectoryUser,
  UserGroup,
} from '@scalekit-scim/core'
import type { z } from 'zod'
import type { deletedUserSchema, directorySchema, groupSchema, userSchema } from '../unit/event-schemas.ts'
import { type Equal, holds } from './holds.ts'

// The interfaces for handlers are written by hand, and the schemas are open. This file checks that they agree.

/** The type without the index signature that makes a schema open. */
type Known<T> = { [K in keyof T as string extends K ? never : K]: T[K] }

/** The fields that can be absent. */
type Optional<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T]

/** The type of a field that is present, recursively. Open records without known fields do not change. */
type Plain<T> = T extends readonly (infer Element)[]
  ? Plain<Element>[]
  : T extends object
    ? keyof Known<T> extends never
      ? T
      : { [K in keyof Known<T>]-?: Plain<Exclude<T[K], undefined>> }
    : T

type Agrees<Interface, Schema extends z.ZodType> = Equal<
  [keyof Interface, Optional<Interface>, Plain<Interface>],
  [keyof Known<z.infer<Schema>>, Optional<Known<z.infer<Schema>>>, Plain<z.infer<Schema>>]
>

holds<Agrees<DirectoryUser, typeof userSchema>>()
holds<Agrees<DeletedDirectoryUser, typeof deletedUserSchema>>()
holds<Agrees<DirectoryGroup, typeof groupSchema>>()
holds<Agrees<Directory, typeof directorySchema>>()

// Each kind of difference is detected.
// @ts-expect-error a missing field
holds<Agrees<Omit<DirectoryUser, 'email'>, typeof userSchema>>()
// @ts-expect-error an extra field
holds<Agrees<DirectoryUser & { badge?: string | null }, typeof userSchema>>()
// @ts-expect-error a field of another type
holds<Agrees<Omit<DirectoryUser, 'active'> & { active?: string | null }, typeof userSchema>>()
// @ts-expect-error a field that cannot be null
holds<Agrees<Omit<DirectoryUser, 'active'> & { active?: boolean }, typeof userSchema>>()
// @ts-expect-error a required field
holds<Agrees<Omit<DirectoryUser, 'email'> & { email: string | null }, typeof userSchema>>()
// @ts-expect-error a nested field of another type
holds<Agrees<Omit<DirectoryUser, 'groups'> & { groups?: { id: number }[] | null }, typeof userSchema>>()

/** The fields of a user's group are compared too. */
holds<Equal<keyof UserGroup, 'id' | 'name'>>()
