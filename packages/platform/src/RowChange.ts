/** A row of a table that was changed and committed, by whomever. */
import type { Pgoutput } from "pg-logical-replication"

/** Values of columns as the driver makes them of text; null is the database's. Only columns of the publication. */
export type Columns = Readonly<Record<string, unknown>>

export type RowChange =
  | { readonly kind: "insert"; readonly table: string; readonly row: Columns }
  /**
   * `row` lacks large values that have not changed. `before` has the replica identity where that was changed, all
   * columns where it is `FULL`, and is null else.
   */
  | {
      readonly kind: "update"
      readonly table: string
      readonly row: Columns
      readonly before: Columns | null
    }
  /** Of what is gone only the replica identity is known. */
  | { readonly kind: "delete"; readonly table: string; readonly before: Columns }
  /** All rows of the table are gone. */
  | { readonly kind: "truncate"; readonly table: string }

const nameOf = ({ name, schema }: Pgoutput.MessageRelation) => `${schema}.${name}`

/** What a message of the stream says of rows; nothing where it is about transactions, types or tables. */
export const of = (message: Pgoutput.Message): ReadonlyArray<RowChange> => {
  switch (message.tag) {
    case "insert":
      return [{ kind: "insert", table: nameOf(message.relation), row: message.new }]
    case "update":
      return [
        {
          kind: "update",
          table: nameOf(message.relation),
          row: message.new,
          before: message.key ?? message.old
        }
      ]
    case "delete":
      return [{ kind: "delete", table: nameOf(message.relation), before: message.key ?? message.old ?? {} }]
    case "truncate":
      return message.relations.map((relation) => ({ kind: "truncate", table: nameOf(relation) }))
    default:
      return []
  }
}
