import { defineConfig } from 'vitepress'
import { serveCopies, writeCopies } from './copies.ts'
import { inlineDrawings, linkRepositoryFiles, slugify } from './markdown.ts'
import { pageGroups } from './pages.ts'
import { search } from './search.ts'

const site = {
  title: 'scalekit-scim',
  description:
    'Express and Fastify middleware for Scalekit directory (SCIM) webhooks, with a directory sync. Not an official Scalekit package.',
}

export default defineConfig({
  ...site,
  lang: 'en',
  head: [['link', { rel: 'icon', href: '/icon.svg' }]],
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
      items: pages.map(({ file, label }) => ({ text: label, link: `/${file.replace(/(index)?\.md$/, '')}` })),
    })),
    outline: [2, 3],
    search: { provider: 'local', options: search },
    footer: { message: 'MIT. Not an official Scalekit package: Scalekit neither maintains nor supports it.' },
  },
  buildEnd: ({ outDir }) => writeCopies(outDir, site),
  vite: { plugins: [serveCopies(site)] },
})
