import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectError, openScimDirectory, type ScimDirectory } from './scim-directory.ts'

const seed = Number(process.env.FC_SEED ?? 20_261_127)

let scim: ScimDirectory
beforeEach(async () => {
  scim = await openScimDirectory()
})
afterEach(() => scim.close())

const search = (filter: string) => scim.send('GET', `/Users?${new URLSearchParams({ filter })}`)
const found = async (filter: string) => {
  const { status, body } = await search(filter)
  expect({ filter, status }).toEqual({ filter, status: 200 })
  return body.Resources.map(({ id }) => id)
}

/** Writes each UTF-16 code unit as an escape, which JSON allows for any string. */
function escaped(value: string): string {
  const units = Array.from({ length: value.length }, (_, at) => value.charCodeAt(at))
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`
}

const anyString = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\\', '"', ']', '\t', '\n', 'é', '😀'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  minLength: 1,
})

describe('a value in a filter is a JSON string', () => {
  it.each([
    ['a backslash', 'CORP\\ada', '"CORP\\\\ada"'],
    ['a backslash at its end', 'ada\\', '"ada\\\\"'],
    ['a backslash before a quotation mark', '\\"', '"\\\\\\""'],
    ['a tab', 'a\tda', '"a\\tda"'],
    ['a slash that is escaped', 'corp/ada', '"corp\\/ada"'],
    ['a letter by its code', 'adé', '"ad\\u00e9"'],
    ['a character by two codes', 'ada😀', '"ada\\ud83d\\uDE00"'],
    ['a closing bracket', 'a]b', '"a]b"'],
  ])('a value with %s works in a list and in the path of a PATCH', async (_case, value, written) => {
    const id = await scim.createUser({ userName: value, emails: [{ value, type: 'work' }] })
    expect(await found(`userName eq ${written}`)).toEqual([id])
    expect(await found(`emails[value eq ${written}]`)).toEqual([id])
    const path = `emails[value eq ${written}].display`
    const { status, body } = await scim.patch(`/Users/${id}`, { op: 'replace', path, value: 'Found' })
    expect(status).toBe(200)
    expect(body.emails).toEqual([{ value, type: 'work', display: 'Found' }])
  })

  it(`a value with any text works in a list and in the path of a PATCH (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(anyString, fc.boolean(), async (externalId, isEscaped) => {
        const written = isEscaped ? escaped(externalId) : JSON.stringify(externalId)
        const id = await scim.createUser({
          userName: `user ${externalId}`,
          externalId,
          roles: [{ value: 'other' }, { value: externalId }],
        })
        expect(await found(`externalId eq ${written}`)).toEqual([id])
        expect(await found(`roles[value eq ${written}] and externalId eq ${written}`)).toEqual([id])
        const { body } = await scim.patch(`/Users/${id}`, {
          op: 'replace',
          path: `roles[value eq ${written}].display`,
          value: 'Found',
        })
        expect(body.roles).toEqual([{ value: 'other' }, { value: externalId, display: 'Found' }])
        await scim.send('DELETE', `/Users/${id}`)
      }),
      { seed, numRuns: 150 },
    )
  })
})

describe('a filter', () => {
  it.each([
    ['title pr or userName eq "a" and active eq false', 'and binds more tightly than or', ['ada']],
    ['(title pr or userName eq "grace") and active eq false', 'parentheses come first', ['grace']],
    ['not (title pr)', 'not', ['grace']],
    ['not(title pr) and active eq false', 'not without a space', ['grace']],
    ['emails[type eq "work" and value sw "home"]', 'one value of a list must match all of it', []],
    ['emails[type eq "home"].value sw "home"', 'a sub-attribute after the bracket', ['ada']],
    ['emails[type eq "work"].value sw "home"', 'the sub-attribute must be of the same value', []],
    ['nickName eq null', 'null matches an absent attribute', ['ada', 'grace']],
    ['title ne null', 'not null matches a present attribute', ['ada']],
    ['shoeSize ge 38', 'numbers', ['ada']],
    ['shoeSize lt 3.8e1', 'numbers with an exponent', []],
    ['userName gt "ada"', 'the order of strings', ['grace']],
  ])('a filter reads %s: %s', async (filter, _rule, names) => {
    const emails = [
      { value: 'work@acme.test', type: 'work' },
      { value: 'home@acme.test', type: 'home' },
    ]
    await scim.createUser({ userName: 'ada', title: 'Countess', emails, shoeSize: 38 })
    await scim.createUser({ userName: 'grace', active: false })
    const { body } = await search(filter)
    expect(body.Resources.map(({ userName }) => userName)).toEqual(names)
  })

  it.each([
    'userName eq "a\\"',
    'userName eq "\\x"',
    'userName eq "\\u12"',
    'userName eq "a\tb"',
    'userName eq "a" and',
    'userName eq "a" title pr',
    "userName eq 'a'",
    'userName eq ada',
    'userName eq 01',
    'userName eq {}',
    'userName eq True',
    'userName eq"a"',
    'active gt true',
    'title lt null',
    'not title pr',
    '__proto__ pr',
    'a..b pr',
    'emails[type eq "work"',
    'emails[type eq "work"].',
    'emails[]',
    ' ',
    `${'('.repeat(60)}title pr${')'.repeat(60)}`,
  ])('a filter is refused with 400 invalidFilter: %s', async (filter) => {
    expectError(await search(filter), 400, 'invalidFilter')
  })

  it('a filter of any text is accepted or refused with 400', async () => {
    const piece = fc.constantFrom(
      'userName',
      'eq',
      'pr',
      '"a"',
      '"a',
      '\\',
      '(',
      ')',
      '[',
      ']',
      '.',
      'not',
      'and',
      'or',
      ' ',
      'null',
      '1',
      'é',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 12 }), async (pieces) => {
        const { status } = await search(pieces.join(''))
        expect([200, 400]).toContain(status)
      }),
      { seed, numRuns: 300 },
    )
  })
})
