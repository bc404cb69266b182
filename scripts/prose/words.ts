// The word list of the prose check: expressions that the project's texts must not use, and what to write instead. Each
// entry has sentences that it must report and sentences that it must accept. A test runs both. Code is masked as `X`
// before the patterns run. Add only expressions that are nearly always wrong.

export interface WordRule {
  id: string
  /** What to write instead. */
  instead: string
  /** Each pattern is tested against each sentence. Only a pattern with the flag `i` ignores case. */
  patterns: readonly RegExp[]
  /** Set if the rule is about sentences. Such a rule skips headings and table cells, because they contain phrases. */
  sentencesOnly?: boolean
  bad: readonly string[]
  good: readonly string[]
}

/** The longest sentence, in words. Code counts as one word. */
export const wordsAtMost = 26

const someWords = String.raw`(?:[\w'’/-]+ ){1,8}`
const wordsOfOneClause = String.raw`(?:(?!(?:what|which|who|whom|that|as|if|when|where|because) )[\w'’/-]+ ){1,10}`
const pronoun = '(?:it|we|they|you|nobody|nothing|everybody|he|she)'

export const wordRules: readonly WordRule[] = [
  {
    id: 'headless-subject',
    instead: 'name the subject: "Requests over the limit are refused"',
    sentencesOnly: true,
    patterns: [
      /^(?:and |but |so |or )?(?:who|whom|what|whoever|whomever|whose)\b(?! (?:to|if)\b)[^?]*$/i,
      new RegExp(
        `[;:] (?:and |but )?(?:who|whom|what|whoever) ${someWords}(?:is|are|was|were|gets|has)\\b[^?]*$`,
        'i',
      ),
    ],
    bad: [
      'Who is over the limit is refused.',
      'What fails is reported.',
      'Whom nobody can place is left out.',
      'It goes on; what fails is reported at the end.',
    ],
    good: [
      'Requests over the limit are refused.',
      'What happens on a repeat?',
      'The report lists what failed, and what was left out.',
    ],
  },
  {
    id: 'no-as-not',
    instead: '"is not an object", "returns nothing", "an unknown answer"',
    patterns: [
      /(?<!\bthere )\b(?:is|are|was|were|be|been) no (?!(?:longer|more|less|fewer|better|worse|later|earlier|sooner|matter)\b)\w+/i,
      /\b(?:gives?|gave|given|knows?|names?|is|are|was|were|be) none\b/i,
    ],
    bad: [
      'The body is no object.',
      'The resolver gives none.',
      'An answer that is none of ours is an error.',
      'These are no events.',
    ],
    good: [
      'The body is not an object.',
      'There is no default.',
      'The lease is no longer valid.',
      'None is left.',
    ],
  },
  {
    id: 'fronted-object',
    instead: 'subject, verb, object: "The sync does not recover a lost event"',
    sentencesOnly: true,
    patterns: [
      new RegExp(
        `^(?:an?|the|such|this|that|these|those|one|more|all|most) ${wordsOfOneClause}${pronoun} (?:does not|do not|did not|cannot|can not|never|will not|must not|may not|has not|have not|need not) \\w+(?: \\w+ly| either| at all)?(?=[.;,:]|$)`,
        'i',
      ),
      new RegExp(`^(?:this|these|those|such) (?:\\w+ )?${pronoun} (?!is\\b|are\\b|was\\b|were\\b)\\w+`, 'i'),
    ],
    bad: [
      'A lost X it does not heal.',
      'Such records they leave out.',
      'The order of two events we cannot know.',
    ],
    good: [
      'The sync does not recover a lost X.',
      'The fields it does not know are kept.',
      'These are the events that it does not handle.',
    ],
  },
  {
    id: 'living-code',
    instead: 'receives, reports, stores, runs, exits because, is called',
    patterns: [
      /\b(?:hears?|heard|overhears?)\b/i,
      /\b(?:says|said|saying)\b/i,
      /\b(?:knows|knew|knowing)\b/i,
      /\bremember(?:s|ed)?\b(?!-me)/i,
      /\b(?:lives?|lived|living) (?:in|on|at|for|until|as|from|next|under|with|longer|only|there|here)\b/i,
      /\b(?:die|dies|died|dying) (?:of|by|from)\b/i,
      /\b(?:is|are|was|were|be|been|being) (?:not )?(?:asked|told)\b/i,
      /\b(?:has|have|had) not to\b/i,
    ],
    bad: [
      'The receiver hears of each event.',
      'The header says when it was sent.',
      'The ledger knows the message.',
      'The ledger remembers the message.',
      'The secret lives in the environment.',
      'The process dies of the signal.',
      'The resolver is asked for each request.',
      'The handler is told of each event.',
      'The sender has not to wait.',
    ],
    good: [
      'The receiver gets each event.',
      'The ledger stores the message.',
      'Users without a known directory are skipped.',
      'The process exits because of the signal.',
      'The resolver is called for each request.',
      'You need to know the path.',
    ],
  },
  {
    id: 'where-as-condition',
    instead: '"if" or "when" for a condition; "where" only for a place',
    sentencesOnly: true,
    patterns: [
      /^(?:and |but |so )?where (?!else\b|to\b)[^?,]*, (?!X)[^?]*$/i,
      /^(?:even|only) where\b/i,
      new RegExp(
        `(?:[,;:(–—] ?|\\b(?:except|only|even|and|but|or) )where (?:${someWords})?(?:is|are|has|have|does|do|can|cannot|fails?|knows?|needs?|gives?|wants?|allows?)\\b(?![^.]*\\?)`,
        'i',
      ),
      /\b(?<!(?:place|page|file|folder|line|point|table|column|position|path|address|host|machine|section|list|directory|database|environment|package|repository|exactly|just|from|to|of|about|is|see|know|shows?|tells?|decides?|on) )where (?:the|a|an|no|nobody|nothing|it|they|this|that|one|two|X+) (?:[\w'’-]+ ){0,3}(?:fails?|is missing|are missing|is set|are set|is not|are not|does not|do not|cannot|throws|has no|have no|is unknown|is false|is true|allows?|allowed)\b/i,
    ],
    bad: [
      'Where the store fails, the reply is 503.',
      'The reply is 503 where the store fails.',
      'Waits, where it is set, are in seconds.',
    ],
    good: [
      'If the store fails, the reply is 503.',
      'The folder where the tests are.',
      'Where is the secret?',
      'It prints where the record was found.',
      'where messages are stored, `redis://host`',
      'See where the time goes.',
    ],
  },
  {
    id: 'mend',
    instead: '"fix", or "hint" for a name',
    patterns: [/\b(?:mends?|mended|mending)\b/i],
    bad: ['Errors say how to mend.', '`npm run format` mends most of it.'],
    good: ['Errors include the fix.', 'We recommend a retry.'],
  },
  {
    id: 'anew',
    instead: '"again"',
    patterns: [/\banew\b/i],
    bad: ['The pass begins anew.'],
    good: ['The pass begins again.', 'It takes a new lease.'],
  },
  {
    id: 'so-many',
    instead: '"count", or the number that you mean',
    patterns: [/\bso (?:many|much|few)\b/i],
    bad: ['At most so many events are handled at once.'],
    good: ['At most `concurrency` events are handled at once.'],
  },
  {
    id: 'beside',
    instead: '"next to", "in addition to" or "with"',
    patterns: [/\bbeside\b/i],
    bad: ['The example runs beside a simulator.'],
    good: ['The example runs next to a simulator.', 'Besides Redis, it supports PostgreSQL.'],
  },
  {
    id: 'and-all',
    instead: '"including the mount path"',
    patterns: [/\b[\w-]+ and all(?=\s*(?:[.,;:)]|$))/i],
    bad: [
      'The whole path that is answered, mount and all.',
      'It copies the folder, tests and all, to a new place.',
    ],
    good: ['The full path, including the mount path.', 'It reads users, groups and all roles.'],
  },
  {
    id: 'whatever',
    instead: '"any", or "regardless of"',
    patterns: [/\b(?:whatever|whatsoever|whomever)\b/i],
    bad: ['It accepts whatever the handler throws.'],
    good: ['It accepts any error of the handler.'],
  },
  {
    id: 'hold-to-it',
    instead: '"require", "check" or "enforce"',
    patterns: [
      /\b(?:holds?|held|holding)\b (?:[\w'’-]+ ){0,4}to (?:it|them|that|this|these|its|their|what|the (?:code|same|rule|contract|promise|docs)\b)/i,
    ],
    bad: [
      'The linter holds the code to it.',
      'Tests hold the tables to the code.',
      'A ledger is held to its contract.',
    ],
    good: ['The linter enforces it.', 'The process holds a lease.', 'It holds the connection open.'],
  },
  {
    id: 'but-for',
    instead: '"except"; state the rule, then the exception',
    patterns: [
      /\b(?:all|nothing|none|anything|everything|nobody|everybody|anybody|no one|any|every) (?:\w+ )?but (?!(?:not|also|only|it|they|we|you|no|then|there|if|when|is|are|does|do|can|cannot|has|have|with|without|in|at|on|from|as|after|before|never|still|this|that)\b)/i,
      /\bbut (?:for|by)\b/i,
      /\b(?:cannot|can not|could not) but\b/i,
    ],
    bad: [
      'Anything against a crash, but by your own guard.',
      'But for a crash, each event is handled once.',
      'All but the last are kept.',
      'It checks nothing but the signature.',
    ],
    good: [
      'Each event is handled once, except after a crash.',
      'It checks only the signature.',
      'Not all, but most.',
      'It reads everything, but it changes nothing.',
    ],
  },
  {
    id: 'archaic',
    instead: 'a common word: "without", "so that", "in which", "obey"',
    patterns: [
      /\b(?:for want of|lest|wherein|whereof|whereby|whereupon|thereof|therein|thereupon|hereof|herein|whence|thence|nought|albeit|save for)\b/i,
      /\b(?:unheard|heeds?|heeded|unheeded)\b/i,
      /\b(?:is|are|was|were|be) had\b/i,
    ],
    bad: ['They fail for want of Redis.', 'It tells how the bytes are had.', 'The limit is heeded.'],
    good: ['They fail without Redis.', 'It tells how the bytes are read.', 'The limit applies.'],
  },
]
