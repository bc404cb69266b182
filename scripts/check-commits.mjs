// Checks the messages of the commits after the commit in `rule`. A message must be a Conventional Commit with a subject
// of at most 72 characters and a body. Merges are exempt. In a shallow clone, checks only the commits that the clone
// has.

import { execFileSync } from 'node:child_process'

/**
 * The last commit before the rule. If a shallow clone does not have this commit, the script uses the date of the
 * commit.
 */
const rule = { after: 'aa0205010ba74f76dd0fa7896958f35b74b4e84f', afterDate: '2026-11-27T21:37:42Z' }
const [lastBefore = rule.after, lastBeforeAt = rule.afterDate] = process.argv.slice(2)
const subjectAtMost = 72
const types = ['build', 'chore', 'ci', 'docs', 'feat', 'fix', 'perf', 'refactor', 'revert', 'style', 'test']
const conventional = new RegExp(`^(${types.join('|')})(\\([a-z0-9-]+\\))?!?: [^\\s].*[^.\\s]$`)

if (!isCheckout()) {
  console.error('This is not a Git checkout: no commit message is checked.')
  process.exit()
}

const problems = commits().flatMap((commit) =>
  problemsOf(commit).map((problem) => `${commit.hash.slice(0, 9)} ${commit.subject}\n  ${problem}`),
)
if (problems.length > 0) {
  console.error(
    `${problems.join('\n')}\n\nWrite "type(scope): what it does" and a body with the reason. See CONTRIBUTING.md.`,
  )
}
process.exitCode = problems.length > 0 ? 1 : 0

function commits() {
  const range = has(lastBefore) ? [`${lastBefore}..HEAD`] : [`--since=${lastBeforeAt}`]
  return git('log', '--no-merges', '-z', '--format=%H%n%B', ...range)
    .split('\0')
    .filter((text) => text.trim() !== '')
    .map((text) => {
      const [hash = '', subject = '', ...body] = text.trim().split('\n')
      return { hash, subject, body: body.join('\n').trim() }
    })
}

function problemsOf({ subject, body }) {
  return [
    ...(conventional.test(subject)
      ? []
      : [`The subject is not a Conventional Commit of the types ${types.join(', ')}.`]),
    ...(subject.length <= subjectAtMost
      ? []
      : [`The subject has ${subject.length} characters, and may have ${subjectAtMost}.`]),
    ...(body === '' ? ['The body is missing.'] : []),
  ]
}

function isCheckout() {
  try {
    git('rev-parse', 'HEAD')
    return true
  } catch {
    return false
  }
}

function has(hash) {
  try {
    git('cat-file', '-e', `${hash}^{commit}`)
    return true
  } catch {
    return false
  }
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
