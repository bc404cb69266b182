import { cpSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pageGroups } from './pages.ts'
import { linkedFiles, markdownOf, pageOf, relativeAddress } from './repository-files.ts'

const docs = fileURLToPath(new URL('..', import.meta.url))

/**
 * Writes what readers without a browser need: a Markdown copy of each page next to it, `llms.txt` with the list of
 * the pages, and `llms-full.txt` with their text. See https://llmstxt.org.
 */
export function writeCopies(folder: string, title: string, description: string): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const head = `# ${title}\n\n> ${description}\n`
  const list: string[] = [head]
  const full: string[] = [head]
  for (const { name, pages } of pageGroups) {
    const links = pages.map((page) => `- [${page.title}](${page.file})`)
    list.push(`## ${name}\n\n${links.join('\n')}\n`)
    full.push(...pages.map(({ file }) => markdownOf(`docs/${file}`, (link) => link)))
  }
  write('llms.txt', list.join('\n'))
  write('llms-full.txt', full.join('\n'))

  const files = [
    ...pageGroups.flatMap(({ pages }) => pages.map(({ file }) => `docs/${file}`)),
    ...linkedFiles(),
  ]
  for (const file of files) write(pageOf(file), markdownOf(file, relativeAddress))
  for (const drawing of globSync('**/*.svg', {
    cwd: docs,
    exclude: ['{node_modules,.vitepress,public}/**'],
  })) {
    cpSync(join(docs, drawing), join(folder, drawing))
  }
}
