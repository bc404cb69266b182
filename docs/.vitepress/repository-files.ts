import { globSync, readFileSync, statSync } from 'node:fs'
import { extname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const languages: Record<string, string> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.js': 'js',
  '.sql': 'sql',
  '.json': 'json',
}

/** Returns the files outside `docs/` that pages of `docs/` link to, directly or through other linked files. */
export function linkedFiles(): string[] {
  const found = new Set<string>()
  const queue = globSync('docs/**/*.md', {
    cwd: root,
    exclude: ['docs/node_modules/**', 'docs/.vitepress/**'],
  })
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const folder = posix.dirname(file)
    const links = file.endsWith('.md') ? relativeLinks(readFileSync(join(root, file), 'utf8')) : []
    for (const target of links.map((link) => posix.join(folder, link))) {
      if (found.has(target) || target.startsWith('docs/') || !isFile(target)) continue
      found.add(target)
      queue.push(target)
    }
  }
  return [...found].sort()
}

/** Returns the page of a file on the site: the name in the page's address, and the page's Markdown. */
export function repositoryPage(file: string): { params: { file: string }; content: string } {
  return { params: { file: file.replace(/\.md$/, '') }, content: markdownOf(file, siteAddress) }
}

/** Returns the Markdown of a page, with changed links. A file that is not Markdown becomes a code block. */
export function markdownOf(file: string, address: (link: string, file: string) => string): string {
  const text = readFileSync(join(root, file), 'utf8')
  if (!file.endsWith('.md')) {
    return `# ${file}\n\n\`\`\`\`${languages[extname(file)] ?? 'text'}\n${text}\`\`\`\`\n`
  }
  const codeOrLink = /(^```[\s\S]*?^```$|`[^`\n]*`)|\]\(([^)\s]+)\)/gm
  return text.replace(codeOrLink, (_all, code, link) => code ?? `](${address(link, file)})`)
}

/** Returns the path of a file's page, relative to the root of the site. */
export function pageOf(file: string): string {
  if (file.startsWith('docs/')) return file.slice('docs/'.length)
  return `repository/${file.replace(/\.md$/, '')}.md`
}

/** Returns the address on the site for a link in a file of the repository. */
export function siteAddress(link: string, file: string): string {
  return withTarget(link, file, (target) => `/${pageOf(target)}`)
}

/** Like `siteAddress`, but returns an address that is relative to the file's page. */
export function relativeAddress(link: string, file: string): string {
  return withTarget(link, file, (target) => posix.relative(posix.dirname(pageOf(file)), pageOf(target)))
}

function withTarget(link: string, file: string, address: (target: string) => string): string {
  if (/^([a-z]+:|#|\/)/.test(link)) return link
  const [path = '', anchor] = link.split('#')
  const found = address(posix.join(posix.dirname(file), path))
  return anchor === undefined ? found : `${found}#${anchor}`
}

function relativeLinks(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

function isFile(path: string): boolean {
  return statSync(join(root, path), { throwIfNoEntry: false })?.isFile() ?? false
}
