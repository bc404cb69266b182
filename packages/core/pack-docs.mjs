// Copies docs/errors.md into the package before it is packed, because messages refer to it. Links to other pages become
// text, because the package does not have these pages.

import { mkdir, readFile, writeFile } from 'node:fs/promises'

const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const copy = new URL('docs/errors.md', import.meta.url)
await mkdir(new URL('.', copy), { recursive: true })
await writeFile(copy, page.replace(/\[([^\]]+)\]\((?!#|https:)[^)]+\)/g, '$1'))
