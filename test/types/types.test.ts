import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compilerOptions, diagnose } from './compile.ts'

// The other files of this folder must compile, except the lines with `@ts-expect-error`. If such a line compiles, the
// directive itself is an error.

const here = fileURLToPath(new URL('.', import.meta.url))
const files = readdirSync(here)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'compile.ts')
  .map((name) => here + name)
const sources = compilerOptions({ built: false })
const built = compilerOptions({ built: true })

test('the test finds files, and expected errors in them', () => {
  expect(files.length).toBeGreaterThanOrEqual(6)
  const expected = files.flatMap((file) => readFileSync(file, 'utf8').match(/@ts-expect-error/g) ?? [])
  expect(expected.length).toBeGreaterThan(40)
})

test('the files compile against the sources as expected', () => {
  expect(diagnose(files, sources)).toEqual([])
})

test('the files compile against the built declarations as expected', () => {
  expect(diagnose(files, built)).toEqual([])
})

test('a missing expected error is detected', () => {
  const virtual = `${here}missing.ts`
  const text = `
    import { scalekitScim } from '@scalekit-scim/express'
    // @ts-expect-error
    scalekitScim({ onUserUpserted: () => {} })
  `
  expect(diagnose([virtual], sources, { [virtual]: text })).toEqual([
    expect.stringMatching(/missing\.ts:3: Unused '@ts-expect-error' directive/),
  ])
})

describe('an application can add its own fields to a user', () => {
  const augmented = (from: string) => `
    import type { DirectoryUser } from '${from}'
    import { scalekitScim } from '@scalekit-scim/express'
    declare module '${from}' {
      interface DirectoryUser {
        badge_number?: string | null
      }
    }
    export const badge = (user: DirectoryUser) => user.badge_number?.trim()
    scalekitScim({
      onUserUpserted: ({ data }) => {
        data.badge_number?.trim()
        data.given_name?.trim()
        // @ts-expect-error still closed to all other names
        data.badge
      },
    })
  `
  const virtual = `${here}augmentation.ts`
  const program = (from: string, options: typeof sources) =>
    diagnose([virtual], options, { [virtual]: augmented(from) })

  // In the sources, TypeScript can augment only the declaring file. Users augment the package that they import.
  test.each(['@scalekit-scim/core', '@scalekit-scim/express'])('the built %s can be augmented', (from) => {
    expect(program(from, built)).toEqual([])
  })

  test('without the augmentation, the code does not compile', () => {
    const text = augmented('@scalekit-scim/core').replace(/declare module[^}]*\}\s*\}/, '')
    expect(diagnose([virtual], built, { [virtual]: text })).toHaveLength(2)
  })
})
