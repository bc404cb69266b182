// Compares the middleware over HTTP with other servers that receive the same requests. Each server runs in a process of
// its own. The turns of the servers alternate, so that other load affects all servers equally. Argument: the framework.
import { ratios, roundsOr } from '../measure.ts'
import { progress, publish, type Row, type Verdict } from '../report.ts'
import { Subject, sender, type Turn } from './subject.ts'

const rounds = roundsOr(5)
const turnSeconds = 2
const steadyRequests = 35_000
const warmUpLimit = 45_000
/** With a store, a request takes longer, and most of its time is not spent in the middleware. */
const storeWarmUpLimit = 15_000
const rssRequests = 200_000
const pacedPerSecond = 1500
const pacedRequests = 6000

const framework = process.argv[2] ?? 'express'
const [json, floor, memory] = [`${framework} json`, `${framework} floor`, `${framework} memory`]
const names = ['node:http', json, floor, `${framework} quickstart`, `${framework} set-nx`, memory]
const stores = [`${framework} redis`, `${framework} postgres`]
const hotNames = [memory, ...stores]

/** Sends requests until the CPU time of a request no longer changes. */
async function warmUp(subject: Subject): Promise<void> {
  const costs: number[] = []
  const limit = stores.includes(subject.name) ? storeWarmUpLimit : warmUpLimit
  while (subject.requests < limit) {
    costs.push((await subject.take(turnSeconds)).cpuMicros)
    const last = costs.slice(-3)
    if (subject.requests >= steadyRequests && Math.max(...last) / Math.min(...last) < 1.04) return
  }
}

const taken = new Map<string, Turn[]>()
const note = (name: string, turn: Turn) => taken.set(name, [...(taken.get(name) ?? []), turn])

const subjects: Subject[] = []
for (const name of [...names, ...stores]) {
  progress(`warming up: ${name}`)
  const subject = await Subject.start(name)
  await warmUp(subject)
  subjects.push(subject)
}
const subjectOf = (name: string) => subjects.find((subject) => subject.name === name) as Subject
for (const name of hotNames) await subjectOf(name).take(turnSeconds, { hot: true })

const p99s: Record<string, number[]> = { [memory]: [], [floor]: [] }
for (let round = 0; round < rounds; round++) {
  for (const subject of subjects) {
    progress(`round ${round + 1} of ${rounds}: ${subject.name}`)
    note(subject.name, await subject.take(turnSeconds))
    if (hotNames.includes(subject.name)) {
      note(`${subject.name}, one user`, await subject.take(turnSeconds, { hot: true }))
    }
  }
  for (const name of [floor, memory]) {
    progress(`round ${round + 1} of ${rounds}: ${pacedPerSecond} requests/s, ${name}`)
    p99s[name]?.push(await subjectOf(name).p99Ms(pacedRequests, pacedPerSecond))
  }
}
progress(`${rssRequests} users: ${memory}`)
const ours = subjectOf(memory)
while (ours.requests < rssRequests) await ours.take(turnSeconds)
const rssMb = (await ours.usage()).rssBytes / 2 ** 20
for (const subject of subjects) subject.end()

const column = (name: string, field: keyof Turn) => (taken.get(name) ?? []).map((turn) => turn[field])
const cpuRatio = (name: string, to: string) => ratios(column(name, 'cpuMicros'), column(to, 'cpuMicros'))

const rows: Row[] = [...taken.keys()].map((name) => ({
  name,
  cells: {
    'CPU per request': column(name, 'cpuMicros'),
    [`of ${json}`]: cpuRatio(name, json),
    'requests/s': column(name, 'perSecond'),
    p50: column(name, 'p50Ms'),
    p99: column(name, 'p99Ms'),
    [`p99 at ${pacedPerSecond}/s`]: p99s[name] ?? [],
  },
}))

const cpuVerdict = (name: string, to: string, limit: number): Verdict => ({
  name: `CPU, ${name} / ${to}`,
  values: cpuRatio(name, to),
  limit,
})
const common: Verdict[] = [
  {
    name: `p99 at ${pacedPerSecond} requests/s, ${memory} / ${floor}`,
    values: ratios(p99s[memory] ?? [], p99s[floor] ?? []),
    limit: 1.5,
  },
  {
    name: `resident memory after ${ours.requests} users, ${memory}`,
    values: [rssMb],
    limit: 220,
    unit: 'MB',
  },
]
const verdicts =
  framework === 'express'
    ? [
        cpuVerdict(memory, json, 1.25),
        cpuVerdict(memory, 'express quickstart', 0.85),
        cpuVerdict('express redis', json, 1.8),
        cpuVerdict('express redis, one user', json, 3),
      ]
    : [cpuVerdict(memory, floor, 1.45)]

publish({
  title: `${framework} over HTTP: 32 connections, 1 KB events, production, ${rounds} rounds of ${turnSeconds} s`,
  columns: [
    { name: 'CPU per request', unit: 'µs', digits: 1 },
    { name: `of ${json}`, unit: '×', digits: 2 },
    { name: 'requests/s', unit: '', digits: 0 },
    { name: 'p50', unit: 'ms', digits: 2 },
    { name: 'p99', unit: 'ms', digits: 2 },
    { name: `p99 at ${pacedPerSecond}/s`, unit: 'ms', digits: 2 },
  ],
  notes: [`The load comes from ${sender}.`],
  rows,
  verdicts: [...verdicts, ...common],
})
