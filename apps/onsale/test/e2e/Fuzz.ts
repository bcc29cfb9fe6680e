/** Random requests to whatever an OpenAPI document describes: mostly of the right form, often wrong in a place or two. */
import { Effect, Random, Schema } from "effect"
import type { Call } from "./HttpCall.ts"

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const Parameter = Schema.Struct({
  name: Schema.String,
  in: Schema.Literals(["path", "query", "header", "cookie"]),
  schema: Schema.Json
})

const Operation = Schema.Struct({
  parameters: Schema.optionalKey(Schema.Array(Parameter)),
  requestBody: Schema.optionalKey(
    Schema.Struct({
      content: Schema.Record(Schema.String, Schema.Struct({ schema: Schema.Json }))
    })
  )
})

/** As much of an OpenAPI 3.1 document as requests are made from. */
export const Document = Schema.Struct({
  openapi: Schema.String,
  paths: Schema.Record(Schema.String, Schema.Record(Schema.String, Operation)),
  components: Schema.Struct({ schemas: Schema.Record(Schema.String, Schema.Json) })
})
export type Document = typeof Document.Type

const long = "x".repeat(2_000)

/** What breaks programs. */
const strange: ReadonlyArray<Json> = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "'; DROP TABLE orders; --",
  "${7*7}",
  "../../etc/passwd",
  "%zz",
  "🎫".repeat(300),
  long,
  [],
  {},
  [[[[[]]]]],
  ["", null],
  { __proto__: null, constructor: { prototype: { x: 1 } } },
  JSON.parse('{"__proto__":{"polluted":true}}')
]

const optionalShare = 0.5
/** Of the places of a request; most requests have ten or fewer, so that half of them are right. */
const strangeShare = 0.06
/** Deeper than any of our schemas; a schema that contains itself ends here. */
const maxDepth = 8

/** Texts that mean something, by the name of what they are given for. */
export type Known = Readonly<Record<string, ReadonlyArray<string>>>

const choose = <A>(all: ReadonlyArray<A>): Effect.Effect<A> => Effect.orDie(Random.choice(all))

/** A value for a schema: of its form, but for the strange ones. */
const valueOf = (
  document: Document,
  known: Known,
  name: string,
  schema: Json,
  depth: number
): Effect.Effect<Json> =>
  Effect.gen(function* () {
    if ((yield* Random.next) < strangeShare || depth > maxDepth || !isObject(schema)) {
      return yield* choose(strange)
    }
    const {
      $ref,
      allOf,
      anyOf,
      const: constant,
      enum: literals,
      items,
      oneOf,
      properties,
      required,
      type
    } = schema
    if (typeof $ref === "string") {
      const named = document.components.schemas[$ref.split("/").at(-1) ?? ""]
      return yield* valueOf(document, known, name, named ?? null, depth + 1)
    }
    if (constant !== undefined) return constant
    for (const choices of [literals, anyOf, oneOf]) {
      if (!Array.isArray(choices) || choices.length === 0) continue
      const choice = yield* choose<Json>(choices)
      return choices === literals ? choice : yield* valueOf(document, known, name, choice, depth + 1)
    }
    if (isObject(properties)) {
      const value: Record<string, Json> = {}
      const needed = Array.isArray(required) ? required : []
      for (const [key, property] of Object.entries(properties)) {
        if ((yield* Random.next) < (needed.includes(key) ? 0.98 : optionalShare)) {
          value[key] = yield* valueOf(document, known, key, property, depth + 1)
        }
      }
      return value
    }
    switch (type) {
      case "array":
        return yield* Effect.forEach(Array.from({ length: yield* Random.nextIntBetween(0, 3) }), () =>
          valueOf(document, known, name, items ?? null, depth + 1)
        )
      case "integer":
      case "number":
        return yield* Random.nextIntBetween(-3, 12)
      case "boolean":
        return yield* Random.nextBoolean
      case "string":
        return yield* choose(known[name] ?? ["some text"])
      default:
        return Array.isArray(allOf) && allOf[0] !== undefined
          ? yield* valueOf(document, known, name, allOf[0], depth + 1)
          : yield* choose<Json>(known[name] ?? strange)
    }
  })

const textOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value))
/** Encoded as a client does, where that is possible at all. */
const encoded = (value: Json): string => encodeURIComponent(textOf(value).toWellFormed().slice(0, 1_000))
/** What a header can carry. */
const headerText = (value: Json): string =>
  textOf(value)
    .replace(/[^\x20-\x7e]/g, "?")
    .slice(0, 300)

/** A request to a random operation of the document. */
export const request = Effect.fnUntraced(function* (document: Document, known: Known) {
  const [path, operations] = yield* choose(Object.entries(document.paths))
  const [method, operation] = yield* choose(Object.entries(operations))
  let filled = path
  const query: Array<string> = []
  const headers: Record<string, string> = {}
  for (const parameter of operation.parameters ?? []) {
    const value = yield* valueOf(document, known, parameter.name, parameter.schema, 0)
    if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, () => encoded(value))
    else if ((yield* Random.next) < 0.1) continue
    else if (parameter.in === "query") query.push(`${parameter.name}=${encoded(value)}`)
    else headers[parameter.name] = headerText(value)
  }
  const content = Object.values(operation.requestBody?.content ?? {})[0]
  const body = content === undefined ? undefined : yield* valueOf(document, known, "", content.schema, 0)
  const call: Call = {
    method: method.toUpperCase(),
    path: query.length === 0 ? filled : `${filled}?${query.join("&")}`,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  }
  return call
})
