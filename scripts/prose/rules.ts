// Textlint rules for the paragraphs, headings and table cells of a document. The rules apply the word list, and a
// limit for the length of sentences.

import type { TxtNode, TxtParentNode } from '@textlint/ast-node-types'
import type { TextlintRuleModule } from '@textlint/types'
import { type WordRule, wordRules, wordsAtMost } from './words.ts'

interface Sentence {
  /** The sentence, with each piece of code replaced by one `X`, and with single spaces. */
  text: string
  /** The position in the paragraph of each character of `text`. */
  at: number[]
}

interface Problem {
  /** The position of the problem in the paragraph. */
  at: number
  message: string
}

export const proseRules: { ruleId: string; rule: TextlintRuleModule }[] = [
  ...wordRules.map((rule) => ({
    ruleId: rule.id,
    rule: ruleOf((sentence, isHeading) =>
      isHeading && rule.sentencesOnly ? undefined : wordProblem(sentence, rule),
    ),
  })),
  { ruleId: 'long-sentence', rule: ruleOf(lengthProblem) },
]

function ruleOf(check: (sentence: Sentence, isHeading: boolean) => Problem | undefined): TextlintRuleModule {
  return ({ RuleError, locator, report, getSource }) => {
    const look = (isHeading: boolean) => (node: TxtParentNode) => {
      for (const sentence of sentencesOf(node, getSource)) {
        const problem = check(sentence, isHeading)
        if (problem) report(node, new RuleError(problem.message, { padding: locator.at(problem.at) }))
      }
    }
    return { Paragraph: look(false), Header: look(true), TableCell: look(true) }
  }
}

function wordProblem({ text, at }: Sentence, { patterns, instead }: WordRule): Problem | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(text)
    if (found)
      return { at: at[found.index] ?? 0, message: `not "${shortened(found[0].trim())}". Write ${instead}` }
  }
  return undefined
}

function lengthProblem({ text, at }: Sentence): Problem | undefined {
  const words = text.match(/[\p{L}\p{N}][\p{L}\p{N}'’_./-]*/gu)?.length ?? 0
  if (words <= wordsAtMost) return undefined
  return {
    at: at[0] ?? 0,
    message: `a sentence of ${words} words. Write at most 25, with one fact in each sentence`,
  }
}

function shortened(words: string): string {
  return words.length > 60 ? `${words.slice(0, 57)}…` : words
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
const known = new WeakMap<TxtNode, Sentence[]>()

function sentencesOf(node: TxtParentNode, getSource: (node: TxtNode) => string): Sentence[] {
  const before = known.get(node)
  if (before) return before
  const sentences = [...segmenter.segment(maskedOf(node, getSource(node)))].map(({ segment, index }) => {
    const signs = [...segment.matchAll(/X{2,}|\S| (?=\S)/g)].filter((sign, nth) => nth > 0 || sign[0] !== ' ')
    return { text: signs.map(([sign]) => sign[0]).join(''), at: signs.map((sign) => index + sign.index) }
  })
  known.set(node, sentences)
  return sentences
}

/**
 * Returns the node's text with each character at its original position. Prose does not change, code becomes `X`, and
 * everything else becomes spaces.
 */
function maskedOf(node: TxtParentNode, source: string): string {
  const masked = Array.from({ length: source.length }, () => ' ')
  const put = (text: string, at: number) => {
    for (let index = 0; index < text.length; index++) masked[at + index] = text[index] ?? ' '
  }
  const visit = (child: TxtNode) => {
    const at = child.range[0] - node.range[0]
    if (child.type === 'Str') put(source.slice(at, at + child.raw.length).replace(/\s/g, ' '), at)
    else if (child.type === 'Code') put('X'.repeat(child.raw.length), at)
    else if ('children' in child) for (const inner of (child as TxtParentNode).children) visit(inner)
  }
  for (const child of node.children) visit(child)
  return masked.join('')
}
