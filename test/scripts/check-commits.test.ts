import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/check-commits.mjs', import.meta.url))
const good = ['fix(core): answer in time', 'A late answer was a lost event.']

/** A repository with a commit before the rule, and these commits after it. */
function repositoryWith(...messages: string[][]) {
  const folder = mkdtempSync(join(tmpdir(), 'scalekit-scim-commits-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, GIT_COMMITTER_DATE: `2026-11-0${days++}T09:00:00Z` },
    }).trim()
  let days = 1
  git('init', '-q', '-b', 'main')
  const commit = (message: readonly string[]) =>
    git('commit', '-q', '--allow-empty', ...message.flatMap((part) => ['-m', part]))
  commit(['Anything goes'])
  const before = git('rev-parse', 'HEAD')
  const beforeAt = git('log', '-1', '--format=%cI')
  for (const message of messages) commit(message)
  return { folder, git, check: (cwd = folder) => checkIn(cwd, before, beforeAt) }
}

function checkIn(cwd: string, ...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { cwd, encoding: 'utf8' })
  return { status, printed: stderr }
}

test('valid messages pass, and commits before the rule are not checked', () => {
  expect(repositoryWith(good).check()).toEqual({ status: 0, printed: '' })
})

test.each([
  [['Make it faster', 'Why not.'], 'not a Conventional Commit'],
  [['fix: end with a full stop.', 'Why not.'], 'not a Conventional Commit'],
  [[`fix: ${'a'.repeat(80)}`, 'Why not.'], 'may have 72'],
  [['fix(core): answer in time'], 'The body is missing.'],
])('%j is refused with the reason', (message, reason) => {
  const { status, printed } = repositoryWith(good, message).check()
  expect(status).toBe(1)
  expect(printed).toContain(message[0])
  expect(printed).toContain(reason)
})

test('a merge commit is exempt', () => {
  const { git, check } = repositoryWith(good)
  git('checkout', '-q', '-b', 'other', 'HEAD~1')
  git('commit', '-q', '--allow-empty', '-m', good[0] ?? '', '-m', good[1] ?? '')
  git('merge', '-q', '--no-ff', 'main', '-m', "Merge branch 'main'")
  expect(check()).toEqual({ status: 0, printed: '' })
})

test('the commits of a shallow clone are checked', () => {
  const { folder, check } = repositoryWith(good, ['Make it faster'], good)
  const shallow = mkdtempSync(join(tmpdir(), 'scalekit-scim-commits-'))
  onTestFinished(() => rmSync(shallow, { recursive: true }))
  const cloneOf = (depth: number) => {
    const clone = join(shallow, String(depth))
    execFileSync('git', ['clone', '-q', '--depth', String(depth), `file://${folder}`, clone])
    return clone
  }
  expect(check(cloneOf(1))).toEqual({ status: 0, printed: '' })
  expect(check(cloneOf(2))).toMatchObject({ status: 1 })
})

test('without a repository, the script prints that it checks no commit message', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scalekit-scim-commits-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  expect(checkIn(folder)).toEqual({
    status: 0,
    printed: 'This is not a Git checkout: no commit message is checked.\n',
  })
})
