import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { MarkdownOptions } from 'vitepress'
import { siteAddress } from './repository-files.ts'

type MarkdownIt = Parameters<NonNullable<MarkdownOptions['config']>>[0]

/** Returns the anchor that GitHub uses for a heading, so that a link works on GitHub and on the site. */
export function slugify(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** Changes links to files outside `docs/`, so that they lead to the site's copies of these files. */
export function linkRepositoryFiles(md: MarkdownIt): void {
  md.core.ruler.push('repository-files', (state) => {
    const file = posix.join('docs', state.env.relativePath)
    for (const token of state.tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null
      if (href) token.attrSet('href', siteAddress(href, file))
    }
  })
}

/** Puts an SVG file into the page, so that its `currentColor` follows the light and the dark theme. */
export function inlineDrawings(md: MarkdownIt): void {
  const image = md.renderer.rules.image
  md.renderer.rules.image = (tokens, index, options, env, self) => {
    const token = tokens[index]
    const file = join(dirname(env.path), token?.attrGet('src') ?? '')
    if (!token || !file.endsWith('.svg') || !existsSync(file))
      return image?.(tokens, index, options, env, self) ?? ''
    const label = md.utils.escapeHtml(token.content)
    const drawing = readFileSync(file, 'utf8')
      .replace(/<\?xml[^>]*\?>/, '')
      .replace(/<style>[\s\S]*?<\/style>/, '')
      .replace('<svg ', `<svg role="img" aria-label="${label}" `)
      .replace(/\s*\n\s*/g, ' ')
    return `<span class="drawing" v-pre>${drawing}</span>`
  }
}
