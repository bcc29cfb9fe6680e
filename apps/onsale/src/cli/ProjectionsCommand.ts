/** `onsale projections`: how far what follows the journals is, and read models built anew. */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { refused, usage } from "./Failure.ts"
import { print, table } from "./Output.ts"

/** Loaded by those who use it: the contexts and the database cost a second at the start. */
const loadProjections = async () => {
  const { list, rebuilds } = await import("../Projections.ts")
  return { list, rebuilds }
}
const load = Effect.promise(() => Promise.all([import("@onsale/platform/Database"), loadProjections()]))

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const [{ Database }, projections] = yield* load
    const found = yield* Effect.provide(projections.list, Database.layerShared)
    yield* print(
      found,
      table(
        ["NAME", "JOURNAL", "CURSOR", "LAG MS", "READ"],
        found.map(({ cursor, journal, lagMs, name, serves }) => [
          name,
          journal,
          cursor === null ? "-" : `${cursor.txid}/${cursor.position}`,
          Math.round(lagMs),
          serves === null ? "" : serves ? "yes" : "not yet"
        ])
      )
    )
  })
).pipe(
  Command.withDescription(
    "List what follows the journals: where each is, how old the oldest row is that it has not seen, and of read models whether they are read"
  ),
  Command.withShortDescription("How far what follows the journals is")
)

const rebuild = Command.make(
  "rebuild",
  {
    name: Argument.String("NAME").pipe(
      Argument.withDescription("A read model as list names it, or catalog.search")
    )
  },
  Effect.fnUntraced(function* ({ name }) {
    const [{ Database }, projections] = yield* load
    const rebuilt = yield* Effect.gen(function* () {
      const known = yield* projections.rebuilds
      const found = known.find(({ label }) => label === name)
      return found === undefined
        ? yield* usage(
            "Nothing that can be built anew is named so",
            `There are: ${known.map(({ label }) => label).join(", ")}`
          )
        : yield* found.rebuild
    }).pipe(
      Effect.provide(Database.layerShared),
      Effect.catchTags({
        RebuildRunning: () => refused("Somebody else is building it anew", name),
        SearchUnavailable: () => refused("The search's index does not answer", "Try again"),
        RebuildLost: () => refused("It was emptied meanwhile, and begins anew by itself", name)
      })
    )
    yield* print({ name, ...rebuilt }, [
      `Built ${name} anew from ${rebuilt.rows} rows in ${rebuilt.tookMs} ms.`
    ])
  })
).pipe(
  Command.withDescription(
    "Build a read model anew from its journal, and where it has one from the tables that it is a copy of, while the old one serves; they change places when the new one has caught up. Who breaks it off changes nothing. The search's index (catalog.search) is gone through in place: each event is read anew, and every word counted"
  ),
  Command.withShortDescription("Build a read model anew"),
  Command.withExamples([{ command: "onsale projections rebuild booking.sales", description: "The sales" }])
)

export const projections = Command.make("projections").pipe(
  Command.withDescription("What follows the journals: list, rebuild"),
  Command.withSubcommands([list, rebuild])
)
