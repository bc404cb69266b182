import { isJsonObject } from '@scalekit-scim/core/internal'
import { badRequest } from './messages.ts'
import { type Path, readPath } from './path.ts'
import type { ResourceType } from './schemas.ts'

const messageSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

export type Operation = 'add' | 'remove' | 'replace'

/** One operation on one attribute. */
export interface Edit {
  readonly op: Operation
  readonly path: Path
  readonly value: unknown
}

/** Returns the operations of a PATCH, in the order of the request. @throws ScimError */
export function readEdits(type: ResourceType, body: unknown): Edit[] {
  const isMessage = isJsonObject(body) && Array.isArray(body.schemas) && body.schemas.includes(messageSchema)
  if (!isMessage)
    throw badRequest('invalidSyntax', `a PATCH must be a JSON object of schema ${messageSchema}`)
  const { Operations: operations } = body
  if (!Array.isArray(operations) || operations.length === 0) {
    throw badRequest('invalidSyntax', 'Operations must be a list that is not empty')
  }
  return joinEdits(operations.flatMap((operation) => readOperation(type, operation)))
}

function readOperation(type: ResourceType, operation: unknown): Edit[] {
  if (!isJsonObject(operation)) throw badRequest('invalidSyntax', 'an operation must be an object')
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
    throw badRequest('mutability', `${path.name} is read-only`)
  }
  return editsAt(type, op, path, value)
}

/**
 * Returns the edits at a path. By RFC 7643, 2.5, null is the same as a missing value. So `replace` with null removes
 * the attribute. `add` with null does not change anything.
 */
function editsAt(type: ResourceType, op: Operation, path: Path, value: unknown): Edit[] {
  if (value === null) return op === 'add' ? [] : [{ op: 'remove', path, value: undefined }]
  if (path.name !== undefined || op === 'remove') return [{ op, path, value }]
  return editsOf(type, op, value, path.extension ?? type.schema.id)
}

/** Returns the operation. Ignores case, because Entra ID sends `Add`, `Remove` and `Replace`. */
function readOp(op: unknown): Operation {
  const name = typeof op === 'string' ? op.toLowerCase() : undefined
  if (name === 'add' || name === 'remove' || name === 'replace') return name
  throw badRequest('invalidSyntax', 'op must be add, remove or replace')
}

/**
 * Reads an operation that has an object instead of a path. Each name in the object is a path, because Entra ID sends
 * names with a filter or a dot. Ignores read-only attributes, because Okta sends a group's id together with its name.
 */
function editsOf(type: ResourceType, op: Operation, value: unknown, within?: string): Edit[] {
  if (!isJsonObject(value))
    throw badRequest('invalidValue', `${op} without the path of an attribute needs an object as its value`)
  return Object.entries(value).flatMap(([name, part]) => {
    const path = readPath(type, name, within)
    return path.attribute?.mutability === 'readOnly' ? [] : editsAt(type, op, path, part)
  })
}

/**
 * Joins operations on the same list, so that the server edits the list only once. Some clients add or remove members
 * one by one.
 */
function joinEdits(edits: readonly Edit[]): Edit[] {
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
