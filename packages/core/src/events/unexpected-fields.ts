import { isJsonObject } from '../base/objects.ts'
import { directoryEvents, isDirectoryEvent } from './directory-events.ts'
import type { FieldList, FieldType } from './documented-fields.ts'
import type { ScimEvent } from './events.ts'

/** The maximum number of checked entries in a list. Each wrong entry of a long list takes time. */
const checkedEntries = 20

/**
 * Returns the fields whose type is not as documented, such as `data.email: invalid_type`. Returns names, never values.
 * Accepts unknown fields. Does not read the contents of `custom_attributes` and other objects, which can be large.
 */
export function unexpectedFields(event: ScimEvent): readonly string[] {
  if (!isDirectoryEvent(event)) return none
  const paths = pathsInObject(event.data, directoryEvents[event.type].fields)
  return paths.length === 0 ? none : paths.map((path) => `data${path}: invalid_type`)
}

// Each function below returns paths relative to its value: `.groups.0.id`, or an empty path for the value itself. The
// functions run for each attempt, so they create lists and paths only if a type is wrong.
const none: readonly string[] = []
const itself: readonly string[] = ['']

function pathsInObject(value: unknown, fields: FieldList): readonly string[] {
  if (!isJsonObject(value)) return itself
  let paths = none
  for (const [name, type] of fields) {
    for (const path of pathsInField(value[name], type)) paths = [...paths, `.${name}${path}`]
  }
  return paths
}

function pathsInField(value: unknown, type: FieldType): readonly string[] {
  if (value == null) return type === 'string' ? itself : none
  switch (type) {
    case 'string':
    case 'string?':
      return typeof value === 'string' ? none : itself
    case 'boolean?':
      return typeof value === 'boolean' ? none : itself
    case 'object?':
      return isJsonObject(value) ? none : itself
    default:
      return pathsInList(value, type)
  }
}

function pathsInList(value: unknown, fields: FieldList): readonly string[] {
  if (!Array.isArray(value)) return itself
  let paths = none
  for (let index = 0; index < Math.min(value.length, checkedEntries); index++) {
    for (const path of pathsInObject(value[index], fields)) paths = [...paths, `.${index}${path}`]
  }
  return paths
}
