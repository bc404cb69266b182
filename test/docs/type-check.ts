import { join } from 'node:path'
import ts from 'typescript'
import type { CodeBlock } from './markdown.ts'
import { root } from './markdown.ts'
import { prelude } from './prelude.ts'

/** Blocks are checked as if they were files in this folder, which finds every package that they may import. */
const folder = join(root, 'test', 'docs', 'blocks')
const preludePath = join(folder, 'prelude.ts')

/** TypeScript's errors in the blocks, each with its line in the document. */
export function typeErrors(blocks: CodeBlock[]): string[] {
  const sources = new Map([[preludePath, prelude]])
  const byPath = new Map<string, CodeBlock>()
  blocks.forEach((block, index) => {
    const path = join(folder, `${index}.${block.language}`)
    // A block without imports is also a module.
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

/** The members of a union of string literals. */
export function unionMembers(path: string, name: string): string[] {
  const file = join(root, path)
  const program = ts.createProgram([file], compilerOptions())
  const checker = program.getTypeChecker()
  const declaration = program
    .getSourceFile(file)
    ?.statements.find((node) => ts.isTypeAliasDeclaration(node) && node.name.text === name)
  if (!declaration) throw new Error(`${path} has no type ${name}`)
  const type = checker.getTypeAtLocation(declaration)
  if (!type.isUnion()) throw new Error(`${name} is not a union`)
  return type.types.flatMap((member) => (member.isStringLiteral() ? [member.value] : [])).sort()
}

/** The members that an interface declares itself. */
export function ownMembers(path: string, name: string): string[] {
  const text = ts.sys.readFile(join(root, path)) ?? ''
  const found = ts
    .createSourceFile(path, text, ts.ScriptTarget.Latest)
    .statements.find((node) => ts.isInterfaceDeclaration(node) && node.name.text === name)
  if (!found) throw new Error(`${path} has no interface ${name}`)
  return (found as ts.InterfaceDeclaration).members.flatMap((member) =>
    member.name && ts.isIdentifier(member.name) ? [member.name.text] : [],
  )
}
