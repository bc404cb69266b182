import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The compiler options of the workspace. Without `paths`, imports resolve to the built packages, as for users. */
export function compilerOptions({ built }: { built: boolean }): ts.CompilerOptions {
  const { config, error } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  if (error) throw new Error(messageOf(error))
  // The options omit the file list, because each program here has its own list.
  const { options, errors } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: [] },
    ts.sys,
    root,
  )
  const wrong = errors.find(({ code }) => code !== noInputs)
  if (wrong) throw new Error(messageOf(wrong))
  if (!built) return options
  const { paths: _, ...withoutPaths } = options
  return withoutPaths
}

const noInputs = 18_002

/** Returns the compiler's messages for some files, as `file:line: message`. Files in `virtual` need not exist. */
export function diagnose(
  fileNames: string[],
  options: ts.CompilerOptions,
  virtual: { [fileName: string]: string } = {},
): string[] {
  const host = ts.createCompilerHost(options, true)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (name) => name in virtual || fileExists(name)
  host.readFile = (name) => virtual[name] ?? readFile(name)
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const text = virtual[name]
    return text === undefined
      ? getSourceFile(name, languageVersion, ...rest)
      : ts.createSourceFile(name, text, languageVersion, true)
  }
  const program = ts.createProgram(fileNames, options, host)
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const { file, start = 0 } = diagnostic
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
    return `${file?.fileName.replace(root, '') ?? ''}:${line}: ${messageOf(diagnostic)}`
  })
}

function messageOf(diagnostic: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')
}
