import { join } from 'node:path'
import ts from 'typescript'
import type { CodeBlock } from './markdown.ts'
import { root } from './markdown.ts'
import { prelude } from './prelude.ts'

/** The blocks are checked as files of this folder, so every package that they import resolves from here. */
const folder = join(root, 'test', 'docs', 'blocks')
const preludePath = join(folder, 'prelude.ts')

/** Returns the errors that TypeScript finds in the blocks, each with its position in the document. */
export function typeErrors(blocks: CodeBlock[]): string[] {
  const sources = new Map([[preludePath, prelude]])
  const byPath = new Map<string, CodeBlock>()
  blocks.forEach((block, index) => {
    const path = join(folder, `${index}.${block.language}`)
    // The export turns a block without imports into a module.
    sources.set(path, `${block.code}\nexport {}\n`)
    byPath.set(path, block)
  })

  const program = ts.createProgram([...sources.keys()], compilerOptions(), hostWith(sources))
  return [...byPath].flatMap(([path, block]) => {
    const file = program.getSourceFile(path)
    if (!file) return [`${block.document}:${block.line} was not read`]
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ start = 0, messageText }) => {
        const line = block.line + file.getLineAndCharacterOfPosition(start).line
        return `${block.document}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
      },
    )
  })
}

function compilerOptions(): ts.CompilerOptions {
  const path = join(root, 'tsconfig.json')
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path, ts.sys.readFile).config,
    ts.sys,
    root,
  )
  // The packages themselves are checked by `pnpm typecheck`.
  return { ...options, noEmit: true, allowJs: true, checkJs: true, types: ['node'] }
}

function hostWith(sources: Map<string, string>): ts.CompilerHost {
  const host = ts.createCompilerHost(compilerOptions())
  return {
    ...host,
    fileExists: (path) => sources.has(path) || host.fileExists(path),
    readFile: (path) => sources.get(path) ?? host.readFile(path),
    getSourceFile: (path, language, ...rest) => {
      const text = sources.get(path)
      return text === undefined
        ? host.getSourceFile(path, language, ...rest)
        : ts.createSourceFile(path, text, language, true)
    },
  }
}

/**
 * Returns the members of a union of string literals. If the union contains other unions, they must be in the same file.
 */
export function unionMembers(path: string, name: string): string[] {
  const file = parsed(path)
  const aliasOf = (alias: string): ts.TypeNode => {
    const found = file.statements.find((node) => ts.isTypeAliasDeclaration(node) && node.name.text === alias)
    if (!found) throw new Error(`${path} does not declare the type ${alias}`)
    return (found as ts.TypeAliasDeclaration).type
  }
  const membersOf = (type: ts.TypeNode): string[] => {
    if (ts.isUnionTypeNode(type)) return type.types.flatMap(membersOf)
    if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return [type.literal.text]
    if (ts.isTypeReferenceNode(type)) return membersOf(aliasOf(type.typeName.getText(file)))
    throw new Error(`${name} is not a union of string literals`)
  }
  return membersOf(aliasOf(name)).sort()
}

/** Returns the members that an interface declares itself. */
export function ownMembers(path: string, name: string): string[] {
  const found = parsed(path).statements.find(
    (node) => ts.isInterfaceDeclaration(node) && node.name.text === name,
  )
  if (!found) throw new Error(`${path} does not declare the interface ${name}`)
  return (found as ts.InterfaceDeclaration).members.flatMap((member) =>
    member.name && ts.isIdentifier(member.name) ? [member.name.text] : [],
  )
}

function parsed(path: string): ts.SourceFile {
  const text = ts.sys.readFile(join(root, path)) ?? ''
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
}
