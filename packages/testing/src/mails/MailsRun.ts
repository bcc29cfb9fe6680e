/** `npm run sim -- mails`: a run by hand, on a Postgres of its own. */
import { NodeHttpClient } from "@effect/platform-node"
import * as Migrations from "@onsale/platform/Migrations"
import * as Sql from "@onsale/platform/Sql"
import { Console, Effect, Schema } from "effect"
import * as ScratchPostgres from "../ScratchPostgres.ts"
import * as MailKills from "./MailKills.ts"

/** A buyer got no mail, or one too many. */
class MailsFailed extends Schema.TaggedError<MailsFailed>()("MailsFailed", { message: Schema.String }) {}

export interface MailsFlags {
  readonly purchases: number
  readonly kills: number
  readonly runners: number
  readonly seed: number
}

export const lines = (report: MailKills.MailKillsReport): ReadonlyArray<string> =>
  (
    [
      ["purchases", report.purchases],
      ["processes killed", report.kills],
      ["mails at the server", report.mails],
      ["orders without a mail", report.wrong.filter((what) => what.includes("no mail")).length],
      ["orders with a repeat", report.repeated],
      ["repeats", report.repeats],
      ["- killed before answer", report.unanswered],
      ["- killed after answer", report.repeats - report.unanswered],
      ["of one crash, at most", report.mostOfACrash],
      ["seconds", Math.round(report.seconds)]
    ] as const
  ).map(([what, count]) => `${what.padEnd(24)}${String(count).padStart(8)}`)

export const runMails = Effect.fn("runMails")(
  function* (flags: MailsFlags) {
    const database = yield* ScratchPostgres.start
    const report = yield* Effect.andThen(
      Migrations.run,
      MailKills.run({ ...flags, database, progress: (text) => Console.log(text) })
    ).pipe(Effect.provide(Sql.layerUrl(database)))
    for (const line of lines(report)) yield* Console.log(line)
    if (report.wrong.length > 0) {
      for (const what of report.wrong.slice(0, 50)) yield* Console.log(`WRONG ${what}`)
      return yield* new MailsFailed({ message: `${report.wrong.length} things are wrong` })
    }
    yield* Console.log(
      "no mail is missing, and each repeat has its crash between the server's answer and our record"
    )
  },
  Effect.scoped,
  Effect.provide(NodeHttpClient.layerUndici)
)
