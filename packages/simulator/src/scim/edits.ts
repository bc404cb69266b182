import { badRequest } from './errors.ts'
import { type Path, readPath } from './path.ts'
import type { ResourceType } from './schemas.ts'
import { isFields } from './values.ts'

const messageSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

export type Operation = 'add' | 'remove' | 'replace'

/** One operation on one attribute. */
export interface Edit {
  readonly op: Operation
  readonly path: Path
  readonly value: unknown
}

/** What a PATCH asks for, in its order. @throws ScimError */
export function readEdits(type: ResourceType, body: unknown): Edit[] {
  const isMessage = isFields(body) && Array.isArray(body.schemas) && body.schemas.includes(messageSchema)
  if (!isMessage)
    throw badRequest('invalidSyntax', `a PATCH must be a JSON object of schema ${messageSchema}`)
  const { Operations: operations } = body
  if (!Array.isArray(operations) || operations.length === 0) {
    throw badRequest('invalidSyntax', 'Operations must be a list, and not empty')
  }
  return joined(operations.flatMap((operation) => readOperation(type, operation)))
}

function readOperation(type: ResourceType, operation: unknown): Edit[] {
  if (!isFields(operation)) throw badRequest('invalidSyntax', 'an operation must be an object')
  const { path: text, value } = operation
  const op = readOp(operation.op)
  if (op !== 'remove' && value === undefined) throw badRequest('invalidValue', `${op} needs a value`)
  if (text === undefined || text === null || text === '') {
    if (op === 'remove') throw badRequest('noTarget', 'remove needs a path')
    return editsOf(type, op, value)
  }
  if (typeof text !== 'string') throw badRequest('invalidPath', 'path must be a string')
  const path = readPath(type, text)
  if (path.attribute?.mutability === 'readOnly') {
    throw badRequest('mutability', `${path.name} is not to be written`)
  }
  return editsAt(type, op, path, value)
}

/** RFC 7643, 2.5: null is no value. To replace something with it is to remove it, and to add it changes nothing. */
function editsAt(type: ResourceType, op: Operation, path: Path, value: unknown): Edit[] {
  if (value === null) return op === 'add' ? [] : [{ op: 'remove', path, value: undefined }]
  if (path.name !== undefined || op === 'remove') return [{ op, path, value }]
  return editsOf(type, op, value, path.extension ?? type.schema.id)
}

/** Entra ID begins it with a capital. */
function readOp(op: unknown): Operation {
  const name = typeof op === 'string' ? op.toLowerCase() : undefined
  if (name === 'add' || name === 'remove' || name === 'replace') return name
  throw badRequest('invalidSyntax', 'op must be add, remove or replace')
}

/**
 * An object in place of a path: each of its names is one, also one with a filter or a dot, as Entra ID sends them.
 * What is read-only is passed over: Okta sends a group's id along with its name.
 */
function editsOf(type: ResourceType, op: Operation, value: unknown, within?: string): Edit[] {
  if (!isFields(value))
    throw badRequest('invalidValue', `${op} of all of ${within ?? 'a resource'} needs an object`)
  return Object.entries(value).flatMap(([name, part]) => {
    const path = readPath(type, name, within)
    return path.attribute?.mutability === 'readOnly' ? [] : editsAt(type, op, path, part)
  })
}

/** Values that are added or removed one by one, as some clients do with members, go through the list together. */
function joined(edits: readonly Edit[]): Edit[] {
  const runs: Edit[] = []
  for (const edit of edits) {
    const run = runs.at(-1)
    if (run && isSameList(run, edit) && Array.isArray(run.value)) run.value.push(...[edit.value].flat())
    else runs.push(isOfValues(edit) ? { ...edit, value: [edit.value].flat() } : edit)
  }
  return runs
}

function isSameList(one: Edit, other: Edit): boolean {
  const { op, path } = other
  const isSamePath = one.path.name === path.name && one.path.extension === path.extension
  return one.op === op && isSamePath && isOfValues(one) && isOfValues(other)
}

function isOfValues({ op, path, value }: Edit): boolean {
  const isWholeList = path.attribute?.multiValued && path.filter === undefined && path.subName === undefined
  return op !== 'replace' && isWholeList === true && typeof value === 'object' && value !== null
}
