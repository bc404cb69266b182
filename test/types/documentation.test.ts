import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { compilerOptions } from './compile.ts'

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))
/** Each interface documents the members that it adds. The parent interface documents the inherited members. */
const interfaces = [
  ['core', 'Handlers'],
  ['core', 'DispatcherOptions'],
  ['core', 'ReceiverOptions'],
  ['core', 'HandlerContext'],
  ['express', 'ScalekitScimOptions'],
  ['fastify', 'ScalekitScimOptions'],
] as const
const declarations = (name: string) => `${packages}${name}/dist/index.d.ts`

const program = ts.createProgram(
  [...new Set(interfaces.map(([name]) => declarations(name)))],
  compilerOptions({ built: true }),
)
const checker = program.getTypeChecker()

interface Property {
  name: string
  documentation: string
  tags: string[]
}

function propertiesOf(name: string, exported: string): Property[] {
  const file = program.getSourceFile(declarations(name))
  const module = file && checker.getSymbolAtLocation(file)
  const found = module && checker.getExportsOfModule(module).find((symbol) => symbol.name === exported)
  if (!found) throw new Error(`${exported} is not exported by ${declarations(name)}: is it built?`)
  const symbol = found.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(found) : found
  return [...(symbol.members?.values() ?? [])].map((property) => ({
    name: property.name,
    documentation: ts.displayPartsToString(property.getDocumentationComment(checker)),
    tags: property.getJsDocTags(checker).map((tag) => tag.name),
  }))
}

describe.each(interfaces)('in the built declarations of %s, %s', (name, exported) => {
  test.each(propertiesOf(name, exported).map((property) => [property.name, property] as const))(
    'a docstring explains %s',
    (_name, { documentation }) => {
      expect(documentation.trim()).not.toBe('')
    },
  )

  const measured = propertiesOf(name, exported).filter(({ name }) => /(Seconds|Bytes)$/.test(name))
  if (measured.length === 0) return

  test('docstrings state the default and the unit of each option with a unit', () => {
    for (const { name, documentation, tags } of measured) {
      expect(tags, name).toContain('default')
      expect(documentation, name).toMatch(/seconds|bytes/i)
    }
  })
})

test('the options with a unit are found', () => {
  const names = interfaces.flatMap(([name, exported]) => propertiesOf(name, exported).map(({ name }) => name))
  expect(names.filter((name) => /(Seconds|Bytes)$/.test(name))).toHaveLength(8)
})
