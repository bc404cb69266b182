// Checks the English of Markdown, comments, messages and test names: `npm run prose`, or `npm run prose -- <paths>` for
// some files or folders. Prints the position, the rule and what to write instead.

import { globSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TxtDocumentNode } from '@textlint/ast-node-types'
import { TextlintKernel } from '@textlint/kernel'
import { parse as parseMarkdown } from '@textlint/markdown-to-ast'
import type { TextlintMessage, TextlintPluginCreator } from '@textlint/types'
import { proseRules } from './rules.ts'
import { parseSource } from './source-prose.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = ['**/*.md', '{packages,examples,scripts,bench,test}/**/*.{ts,mts,js,mjs,cjs}']
const skipped = /(?:^|\/)(?:node_modules|dist|\.cache|\.vitepress\/(?:dist|cache)|api|words\.ts$)/
const kernel = new TextlintKernel()

/** In tests, checks only comments and test names, because tests contain many sample texts. */
export async function problemsIn(path: string, text: string): Promise<TextlintMessage[]> {
  const literals = /(?:^|\/)test\//.test(path) ? 'test names' : 'messages'
  const plugin = pluginOf(() => (path.endsWith('.md') ? parseMarkdown(text) : parseSource(text, literals)))
  const { messages } = await kernel.lintText(text, {
    filePath: path,
    ext: '.prose',
    plugins: [{ pluginId: 'prose', plugin }],
    rules: proseRules,
  })
  return messages
}

function pluginOf(preProcess: () => TxtDocumentNode): TextlintPluginCreator {
  return {
    Processor: class {
      availableExtensions() {
        return ['.prose']
      }
      processor() {
        return {
          preProcess,
          postProcess: (messages: TextlintMessage[], filePath = '') => ({ messages, filePath }),
        }
      }
    },
  }
}

function filesIn(paths: string[]): string[] {
  const wanted = paths.map((path) =>
    relative(root, resolve(process.env.INIT_CWD ?? '.', path)).replaceAll('\\', '/'),
  )
  return globSync(files, { cwd: root, exclude: (path) => skipped.test(String(path)) })
    .map((path) => path.replaceAll('\\', '/'))
    .filter(
      (path) =>
        wanted.length === 0 || wanted.some((one) => one === '' || path === one || path.startsWith(`${one}/`)),
    )
    .sort()
}

/** Prints the problems. Returns `true` if it found no problems. */
async function check(paths: string[]): Promise<boolean> {
  const all = filesIn(paths)
  let count = 0
  for (const path of all) {
    const problems = await problemsIn(path, readFileSync(join(root, path), 'utf8'))
    count += problems.length
    for (const { line, column, ruleId, message } of problems) {
      console.log(`${path}:${line}:${column} ${ruleId}: ${message}`)
    }
  }
  console.log(`${count} problems in ${all.length} files`)
  return count === 0 && all.length > 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = (await check(process.argv.slice(2))) ? 0 : 1
}
