import type { DefaultTheme } from 'vitepress'

// VitePress sends these functions to the browser as text, so each one must be complete in itself.

export const search: DefaultTheme.LocalSearchOptions = {
  // The copies of the repository's files repeat what the pages say.
  _render: (text, env, md) => (env.relativePath.startsWith('repository/') ? '' : md.render(text, env)),
  miniSearch: {
    options: {
      // "5,000" is one word, so that "5000" finds it.
      tokenize: (text) => text.replace(/(\d),(?=\d{3})/g, '$1').split(/[\n\r\p{Z}\p{P}`]+/u),
      // A question is found by its nouns and verbs.
      processTerm: (term) => {
        const word = term.toLowerCase()
        const left =
          ' a an and are as at be by can did do does for from have how i if in is it its later my of on or our should so that the their then this to was we were what when which who why with you your '
        return left.includes(` ${word} `) ? null : word
      },
    },
  },
}
