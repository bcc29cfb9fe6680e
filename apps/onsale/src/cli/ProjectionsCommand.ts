/** `onsale projections`: how far what follows the journals is, and read models built anew. */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { refused, usage } from "./Failure.ts"
import { print, table } from "./Output.ts"

/** Loaded by those who use it: the contexts and the database cost a second at the start. */
const loadProjections = async () => {
  const { list, models } = await import("../Projections.ts")
  return { list, models }
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
    name: Argument.String("NAME").pipe(Argument.withDescription("A read model, as list names it"))
  },
  Effect.fnUntraced(function* ({ name }) {
    const [{ Database }, projections] = yield* load
    const rebuilt = yield* Effect.gen(function* () {
      const models = yield* projections.models
      const model = models.find(({ label }) => label === name)
      return model === undefined
        ? yield* usage(
            "No read model is named so",
            `There are: ${models.map(({ label }) => label).join(", ")}`
          )
        : yield* model.rebuild
    }).pipe(
      Effect.provide(Database.layerShared),
      Effect.catchTags({
        RebuildRunning: () => refused("Somebody else is building it anew", name),
        RebuildLost: () => refused("It was emptied meanwhile, and begins anew by itself", name)
      })
    )
    yield* print({ name, ...rebuilt }, [
      `Built ${name} anew from ${rebuilt.rows} rows of the journal in ${rebuilt.tookMs} ms.`
    ])
  })
).pipe(
  Command.withDescription(
    "Build a read model anew from the beginning of its journal, while the old one serves; they change places when the new one has caught up. Who breaks it off changes nothing"
  ),
  Command.withShortDescription("Build a read model anew"),
  Command.withExamples([{ command: "onsale projections rebuild booking.sales", description: "The sales" }])
)

export const projections = Command.make("projections").pipe(
  Command.withDescription("What follows the journals: list, rebuild"),
  Command.withSubcommands([list, rebuild])
)
