/**
 * What a journal tells others: its events as they are encoded in it, less what is not named here. Nothing leaves
 * a context because somebody forgot to take it out, a customer's name and address least of all.
 */
import { Schema } from "effect"
import type { JournalRow } from "./Journal.ts"

/** By event, the fields that others may know. */
export type Told<E extends { readonly _tag: string }> = {
  readonly [T in E as T["_tag"]]: ReadonlyArray<Exclude<keyof T, "_tag">>
}

export const make = <E extends { readonly _tag: string }, I>(options: {
  readonly event: Schema.Codec<E, I>
  readonly typeOf: (tag: string) => string
  readonly told: Told<E>
}) => {
  const encode = Schema.encodeUnknownSync(Schema.toCodecJson(options.event))
  const fields = new Map(Object.entries<ReadonlyArray<PropertyKey>>(options.told))
  return (row: JournalRow<E>) =>
    row.events.map((event) => {
      const named = fields.get(event._tag) ?? []
      const data = Object.fromEntries(
        Object.entries(encode(event) as { readonly [key: string]: Schema.Json }).filter(
          ([key]) => key === "_tag" || named.includes(key)
        )
      )
      return { type: options.typeOf(event._tag), data }
    })
}
