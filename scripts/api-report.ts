// Writes the reports in `api/`. Each report lists everything that one built entry point exports. `pnpm api` runs this
// script after a build. A test compares the built entry points with the committed reports.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

const root = fileURLToPath(new URL('..', import.meta.url))
export const reportFolder = join(root, 'api')

export interface EntryPoint {
  /** The name of the entry point, and of its report. */
  name: string
  package: string
  /** The file in `dist`, without its extension. */
  file: string
}

export const entryPoints: readonly EntryPoint[] = [
  { name: 'core', package: 'core', file: 'index' },
  { name: 'core-adapter', package: 'core', file: 'adapter' },
  { name: 'core-internal', package: 'core', file: 'internal' },
  { name: 'core-sync', package: 'core', file: 'sync' },
  { name: 'core-testing', package: 'core', file: 'testing' },
  { name: 'express', package: 'express', file: 'index' },
  { name: 'fastify', package: 'fastify', file: 'index' },
  { name: 'simulator', package: 'simulator', file: 'index' },
]

/** Returns the report of a built entry point. */
export async function reportOf(entryPoint: EntryPoint): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scalekit-scim-api-'))
  try {
    writeReport(entryPoint, folder)
    return await readFile(join(folder, reportFile(entryPoint)), 'utf8')
  } finally {
    await rm(folder, { recursive: true })
  }
}

export function reportFile({ name }: Pick<EntryPoint, 'name'>): string {
  return `${name}.api.md`
}

function writeReport(entryPoint: EntryPoint, folder: string): void {
  const projectFolder = join(root, 'packages', entryPoint.package)
  const mainEntryPointFilePath = join(projectFolder, 'dist', `${entryPoint.file}.d.ts`)
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder,
      mainEntryPointFilePath,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          extends: join(root, 'tsconfig.base.json'),
          files: [mainEntryPointFilePath],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: entryPoint.name,
        reportFolder: folder,
        reportTempFolder: join(folder, 'new'),
        // Without this flag, a type that is inferred from a schema has no members in the report.
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      // The script does not use the messages of API Extractor. Messages contain the names of chunks of the build, so
      // they would change whenever a chunk changes.
      messages: {
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, 'package.json'),
  })
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error
    },
  })
  if (!succeeded) throw new Error(`API Extractor cannot read ${mainEntryPointFilePath}. Run \`pnpm build\`.`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const entryPoint of entryPoints) writeReport(entryPoint, reportFolder)
  await rm(join(reportFolder, 'new'), { recursive: true })
}
