/** `onsale start` and `onsale migrate`: what runs the service. They bring much code, which is loaded when it is needed. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { plural } from "../Wording.ts"
import { print } from "./Output.ts"

export const start = Command.make("start", {}, () =>
  Effect.flatten(Effect.promise(() => import("../Start.ts").then(({ start }) => start)))
).pipe(
  Command.withDescription(
    "Start Onsale: everything in one process, on PORT (3000). Brings a Postgres, a payment provider and a mail catcher of its own, kept in ONSALE_DATA_DIR (.onsale); ONSALE_DATABASE_URL, ONSALE_SANDBOX_URL and ONSALE_SMTP_URL name real ones. Stops cleanly on Ctrl-C."
  ),
  Command.withShortDescription("Start Onsale"),
  Command.withExamples([
    { command: "onsale start", description: "On http://localhost:3000, with a demo season" },
    { command: "PORT=8080 ONSALE_DEMO=false onsale start", description: "On another port, empty" }
  ])
)

export const migrate = Command.make(
  "migrate",
  {},
  Effect.fnUntraced(function* () {
    const [{ Database }, Migrations] = yield* Effect.promise(() =>
      Promise.all([import("@onsale/platform/Database"), import("@onsale/platform/Migrations")])
    )
    const applied = yield* Effect.provide(Migrations.run, Database.layerShared)
    yield* print(
      applied.map(([id, name]) => ({ id, name })),
      applied.length === 0
        ? ["The database is up to date."]
        : [
            `Applied ${plural(applied.length, "migration")}:`,
            ...applied.map(([id, name]) => `  ${`${id}`.padStart(4, "0")}_${name}`)
          ]
    )
  })
).pipe(
  Command.withDescription(
    "Bring the database to the schema of this version: the one of ONSALE_DATABASE_URL, or the embedded one in ONSALE_DATA_DIR. The start does so too."
  ),
  Command.withShortDescription("Bring the database to the schema of this version")
)
