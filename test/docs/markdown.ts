import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Document {
  /** The path from the root of the repository, such as `docs/errors.md`. */
  path: string
  text: string
}

export interface CodeBlock {
  document: string
  /** The line number of the first line of code in the document, from 1. */
  line: number
  language: string
  code: string
}

const patterns = [
  '*.md',
  'docs/**/*.md',
  'packages/*/README.md',
  'examples/*/README.md',
  'bench/README.md',
  'test/README.md',
]

/** Installed and built files in `docs/`, and the frame of the site's copies of other files. */
const notWritten = ['docs/node_modules/**', 'docs/.vitepress/**', 'docs/repository/**']

export const documents: Document[] = globSync(patterns, { cwd: root, exclude: notWritten })
  .map((path) => path.replaceAll('\\', '/'))
  .sort()
  .map(readDocument)

export function readDocument(path: string): Document {
  return { path, text: readFileSync(join(root, path), 'utf8') }
}

export function codeBlocks({ path, text }: Document): CodeBlock[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', code = ''], index, all) => ({
      document: path,
      line: text.slice(0, all[index]?.index).split('\n').length + 1,
      language,
      code,
    }),
  ) as CodeBlock[]
}

export function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '')
}

export function headings(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => heading.trim())
}

/** Returns the anchor of a heading, in the form of the repository's host. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** Returns the cells of each row of the first table under a heading, without the head. */
export function tableUnder(document: Document, heading: string): string[][] {
  return tablesUnder(document, heading)[0] ?? []
}

export function tablesUnder(document: Document, heading: string): string[][][] {
  return [...sectionUnder(document, heading).matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]) => rowsOf(table))
}

/** Returns the text from a heading to the next heading of the same or a higher level. */
export function sectionUnder({ text }: Document, heading: string): string {
  const [, level = '', section = ''] = text.split(new RegExp(`^(##+) ${heading}\n`, 'm'))
  return section.split(new RegExp(`^#{2,${level.length}} `, 'm'))[0] ?? ''
}

function rowsOf(table: string): string[][] {
  const [, , ...rows] = table.trim().split('\n')
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  )
}

/** Returns the texts in backticks. */
export function codeIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

export function exists(path: string): boolean {
  return existsSync(join(root, path))
}
