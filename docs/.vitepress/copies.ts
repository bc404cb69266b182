import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitepress'
import { pageGroups } from './pages.ts'
import { linkedFiles, markdownOf, pageOf, relativeAddress } from './repository-files.ts'

const docs = fileURLToPath(new URL('..', import.meta.url))

/** The beginning of `llms.txt` and `llms-full.txt`. */
export interface Site {
  title: string
  description: string
}

/**
 * Returns files for readers without a browser. The keys are the paths on the site. The files are a Markdown copy of each
 * page, the drawings, `llms.txt` with a list of all pages, and `llms-full.txt` with the text of all pages. See
 * https://llmstxt.org.
 */
function copiesOf({ title, description }: Site): Map<string, string> {
  const head = `# ${title}\n\n> ${description}\n`
  const pages = pageGroups.flatMap((group) => group.pages.map(({ file }) => `docs/${file}`))
  const list = pageGroups.map(({ name, pages }) => {
    const links = pages.map((page) => `- [${page.title}](${page.file})`)
    return `## ${name}\n\n${links.join('\n')}\n`
  })
  const full = pages.map((file) => markdownOf(file, (link) => link))
  const drawings = globSync('**/*.svg', { cwd: docs, exclude: ['{node_modules,.vitepress,public}/**'] })
  return new Map([
    ['llms.txt', [head, ...list].join('\n')],
    ['llms-full.txt', [head, ...full].join('\n')],
    ...[...pages, ...linkedFiles()].map((file) => [pageOf(file), markdownOf(file, relativeAddress)] as const),
    ...drawings.map((file) => [file, readFileSync(join(docs, file), 'utf8')] as const),
  ])
}

/** Writes the copies next to the pages of a built site. */
export function writeCopies(folder: string, site: Site): void {
  for (const [path, text] of copiesOf(site)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

/**
 * Serves the copies during development. Vite's own requests for `.md` modules do not match, because they have a
 * query.
 */
export function serveCopies(site: Site): Plugin {
  return {
    name: 'copies',
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const path = request.url?.slice(1) ?? ''
        const text = /\.(?:md|txt)$/.test(path) ? copiesOf(site).get(path) : undefined
        if (text === undefined) return next()
        response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(text)
      })
    },
  }
}
