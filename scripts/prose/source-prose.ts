// Finds the prose in a source file. Each comment, message and test name becomes a paragraph of textlint's tree. The
// nodes keep their positions in the file, so that reports have the right line and column.

import type { TxtDocumentNode, TxtNode } from '@textlint/ast-node-types'
import ts from 'typescript'

type Range = readonly [start: number, end: number]

interface Piece {
  type: 'Str' | 'Code'
  range: Range
}

/** The literals of a file that are checked as prose, in addition to comments. */
type Literals = 'messages' | 'test names'

const wordsOfMessage = 4
const directive = /^(?:\/\/\/|\/[/*]+ *(?:biome-|@ts-|v8 |c8 |prettier|eslint|#__|──))/
const drawing = /[│─┌└├┬┴┐┘▶◀▲▼→↑↓]|\S {3,}\S|^\s*\|.*\|\s*$|-->|<--/
const sql =
  /\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT|TRUNCATE|VALUES|SET|LOCK)\b[\s\S]*\b(?:FROM|INTO|TABLE|WHERE|AS|SET|FUNCTION|INDEX|ON|TO)\b/
const inlineCode = /(\\?`)[^`]*?\1|\{@link [^}]*\}|@default.*|https?:\/\/\S+/g
const testFunctions = new Set(['test', 'it', 'describe'])

export function parseSource(text: string, literals: Literals): TxtDocumentNode {
  const source = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true)
  const nodeOf = nodesIn(source)
  const found: Piece[][] = []
  const seen = new Set<number>()
  const visit = (node: ts.Node) => {
    if (ts.isJSDoc(node)) return
    const children = node.getChildren(source)
    if (children.length === 0) found.push(...commentsAt(node, text, seen))
    const isLiteral = literals === 'messages' ? isMessage(node) : isTestName(node)
    if (isLiteral) found.push(...literalProse(node, source, literals === 'messages' ? wordsOfMessage : 1))
    for (const child of children) visit(child)
  }
  visit(source)
  const paragraphs = found.filter(hasProse).map((pieces) => paragraphOf(pieces, nodeOf))
  return { ...nodeOf('Document', [0, text.length]), children: paragraphs } as unknown as TxtDocumentNode
}

function nodesIn(source: ts.SourceFile) {
  const position = (offset: number) => {
    const { line, character } = source.getLineAndCharacterOfPosition(offset)
    return { line: line + 1, column: character }
  }
  return (type: string, range: Range): TxtNode => ({
    type: type as TxtNode['type'],
    raw: source.text.slice(...range),
    range,
    loc: { start: position(range[0]), end: position(range[1]) },
  })
}

function hasProse(pieces: Piece[]): boolean {
  return pieces.some(({ type }) => type === 'Str')
}

function paragraphOf(pieces: Piece[], nodeOf: ReturnType<typeof nodesIn>) {
  const children = pieces.map(({ type, range }) => ({
    ...nodeOf(type, range),
    value: nodeOf(type, range).raw,
  }))
  return { ...nodeOf('Paragraph', [pieces[0]?.range[0] ?? 0, pieces.at(-1)?.range[1] ?? 0]), children }
}

// ── Comments ──

function commentsAt(token: ts.Node, text: string, seen: Set<number>): Piece[][] {
  const comments = [
    ...(ts.getLeadingCommentRanges(text, token.pos) ?? []),
    ...(ts.getTrailingCommentRanges(text, token.end) ?? []),
  ].filter(({ pos, end }) => !seen.has(pos) && seen.add(pos) && !directive.test(text.slice(pos, end)))
  return grouped(comments, text).flatMap((group) =>
    paragraphsOf(
      group.flatMap((range) => linesOf(range, text)),
      text,
    ),
  )
}

/** Groups line comments that follow each other, because they are one text. */
function grouped(comments: ts.CommentRange[], text: string): ts.CommentRange[][] {
  const groups: ts.CommentRange[][] = []
  for (const comment of comments) {
    const last = groups.at(-1)?.at(-1)
    const follows =
      last?.kind === ts.SyntaxKind.SingleLineCommentTrivia &&
      /^\n?[ \t]*$/.test(text.slice(last.end, comment.pos))
    if (follows) groups.at(-1)?.push(comment)
    else groups.push([comment])
  }
  return groups
}

/** Returns the lines of a comment, without the signs that mark a comment. */
function linesOf({ pos, end }: ts.TextRange, text: string): Range[] {
  const lines: Range[] = []
  const [, before = '', body = ''] = /^(\/\*+|\/\/)([\s\S]*?)(?:\*\/)?$/.exec(text.slice(pos, end)) ?? []
  let start = pos + before.length
  for (const line of body.split('\n')) {
    const [sign = ''] = lines.length > 0 ? (/^\s*\*? ?/.exec(line) ?? []) : []
    lines.push([start + sign.length, start + line.length])
    start += line.length + 1
  }
  return lines
}

/**
 * Joins lines into paragraphs. An empty line, an item of a list, and a tag each begin a new paragraph. Fences, examples
 * and drawings are code.
 */
function paragraphsOf(lines: Range[], text: string): Piece[][] {
  const paragraphs: Range[][] = [[]]
  let inCode = false
  for (const [start, end] of lines) {
    const line = text.slice(start, end)
    const [tag] = /^\s*@\w+(?: [\w.[\]]+ -)?/.exec(line) ?? []
    if (/^\s*```/.test(line)) inCode = !inCode
    else if (tag !== undefined) inCode = tag.trim() === '@example'
    const isProse = !inCode && !/^\s*```/.test(line) && !drawing.test(line)
    const [item = ''] = /^\s*(?:[-*]|\d+\.) /.exec(line) ?? []
    if (!isProse || line.trim() === '' || tag !== undefined || item !== '') paragraphs.push([])
    if (isProse) paragraphs.at(-1)?.push([start + (tag?.length ?? item.length), end])
  }
  return paragraphs.map((ranges) => ranges.flatMap((range) => piecesOf(text, range)))
}

// ── Literals ──

/** Returns whether a node is a literal that is not part of a longer literal, a type, an import or a key. */
function isMessage(node: ts.Node): boolean {
  if (!isText(node) || isSum(node.parent)) return false
  return !(
    ts.isTaggedTemplateExpression(node.parent) ||
    ts.isLiteralTypeNode(node.parent) ||
    ts.isImportDeclaration(node.parent) ||
    ts.isExportDeclaration(node.parent)
  )
}

function isTestName(node: ts.Node): boolean {
  if (!isText(node) || !ts.isCallExpression(node.parent) || node.parent.arguments[0] !== node) return false
  let callee: ts.Node = node.parent.expression
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression
  return ts.isIdentifier(callee) && testFunctions.has(callee.text)
}

function isText(node: ts.Node): boolean {
  return (
    ts.isStringLiteral(node) ||
    ts.isNoSubstitutionTemplateLiteral(node) ||
    ts.isTemplateExpression(node) ||
    isSum(node)
  )
}

/** Returns whether a node joins texts with a plus. */
function isSum(node: ts.Node): boolean {
  return (
    ts.isBinaryExpression(node) &&
    node.operatorToken.kind === ts.SyntaxKind.PlusToken &&
    (isText(node.left) || isText(node.right))
  )
}

function literalProse(node: ts.Node, source: ts.SourceFile, leastWords: number): Piece[][] {
  const pieces = literalPieces(node, source)
  const prose = pieces.map(({ type, range }) => (type === 'Str' ? source.text.slice(...range) : '')).join(' ')
  if (sql.test(prose) || (prose.match(/[a-z]+(?=[\s.,;:!?]|$)/gi) ?? []).length < leastWords) return []
  return splitAtLineBreaks(pieces, source.text)
}

/** Returns the text between the quotes. A substitution is code. */
function literalPieces(node: ts.Node, source: ts.SourceFile): Piece[] {
  if (ts.isBinaryExpression(node)) {
    return [...literalPieces(node.left, source), ...literalPieces(node.right, source)]
  }
  if (ts.isTemplateExpression(node)) {
    return [node.head, ...node.templateSpans].flatMap((part) => {
      if (!ts.isTemplateSpan(part)) return piecesOf(source.text, inside(part, source))
      const substitution: Piece = { type: 'Code', range: [part.pos, part.expression.end] }
      return [substitution, ...piecesOf(source.text, inside(part.literal, source))]
    })
  }
  if (ts.isStringLiteralLike(node)) return piecesOf(source.text, inside(node, source))
  return [{ type: 'Code', range: [node.getStart(source), node.end] }]
}

function inside(literal: ts.Node, source: ts.SourceFile): Range {
  const start = literal.getStart(source)
  const isFollowed = source.text.slice(start, literal.end).endsWith('${')
  return [start + 1, literal.end - (isFollowed ? 2 : 1)]
}

function splitAtLineBreaks(pieces: Piece[], text: string): Piece[][] {
  const paragraphs: Piece[][] = [[]]
  for (const { type, range } of pieces) {
    const breaks = type === 'Str' ? [...text.slice(...range).matchAll(/\n|\\n/g)] : []
    let [from] = range
    for (const { index, 0: sign } of breaks) {
      paragraphs.at(-1)?.push({ type, range: [from, range[0] + index] })
      paragraphs.push([])
      from = range[0] + index + sign.length
    }
    if (from < range[1]) paragraphs.at(-1)?.push({ type, range: [from, range[1]] })
  }
  return paragraphs
}

/** Splits a text into prose and code. Code spans, links and addresses are code. */
function piecesOf(text: string, [start, end]: Range): Piece[] {
  const pieces: Piece[] = []
  let from = start
  for (const { index, 0: code } of text.slice(start, end).matchAll(inlineCode)) {
    if (start + index > from) pieces.push({ type: 'Str', range: [from, start + index] })
    from = start + index + code.length
    pieces.push({ type: 'Code', range: [start + index, from] })
  }
  if (end > from) pieces.push({ type: 'Str', range: [from, end] })
  return pieces
}
