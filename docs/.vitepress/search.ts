import type { DefaultTheme } from 'vitepress'

// VitePress sends these functions to the browser as text, so a function cannot use names from outside the function.

export const search: DefaultTheme.LocalSearchOptions = {
  // Excludes copies of repository files from the search, because they have the same content as the pages.
  _render: (text, env, md) => (env.relativePath.startsWith('repository/') ? '' : md.render(text, env)),
  miniSearch: {
    options: {
      // Treats "5,000" as the word "5000", so a search for "5000" finds both forms.
      tokenize: (text) => text.replace(/(\d),(?=\d{3})/g, '$1').split(/[\n\r\p{Z}\p{P}`]+/u),
      // Ignores short words of a question, so that the nouns and verbs of the question decide which pages are found.
      processTerm: (term) => {
        const word = term.toLowerCase()
        const left =
          ' a an and are as at be by can did do does for from have how i if in is it its later my of on or our should so that the their then this to was we were what when which who why with you your '
        return left.includes(` ${word} `) ? null : word
      },
    },
  },
}
