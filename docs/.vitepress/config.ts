import { defineConfig } from 'vitepress'
import { writeCopies } from './copies.ts'
import { inlineDrawings, linkRepositoryFiles, slugify } from './markdown.ts'
import { pageGroups, plannedPages } from './pages.ts'

const title = 'scalekit-scim'
const description =
  'Express and Fastify middleware for Scalekit directory (SCIM) webhooks, with a directory sync. Not an official Scalekit package.'
const planned = plannedPages.map((file) => `/${file.replace(/\.md$/, '')}`)

export default defineConfig({
  title,
  description,
  lang: 'en',
  ignoreDeadLinks: [(link) => planned.includes(link)],
  markdown: {
    anchor: { slugify },
    config: (md) => {
      linkRepositoryFiles(md)
      inlineDrawings(md)
    },
  },
  themeConfig: {
    nav: [
      { text: 'Quickstart', link: '/quickstart' },
      { text: 'FAQ', link: '/faq' },
      { text: 'Options', link: '/reference/options' },
    ],
    sidebar: pageGroups.map(({ name, pages }) => ({
      text: name,
      items: pages.map(({ file, title }) => ({ text: title, link: `/${file.replace(/(index)?\.md$/, '')}` })),
    })),
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        // The copies of the repository's files repeat what the pages say.
        _render: (text, env, md) => (env.relativePath.startsWith('repository/') ? '' : md.render(text, env)),
      },
    },
    footer: { message: 'MIT. Not an official Scalekit package: Scalekit neither maintains nor supports it.' },
  },
  buildEnd: ({ outDir }) => writeCopies(outDir, title, description),
})
