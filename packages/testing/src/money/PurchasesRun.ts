/** `npm run sim -- purchases`: a run by hand, on a Postgres of its own. */
import * as Migrations from "@onsale/platform/Migrations"
import * as Sql from "@onsale/platform/Sql"
import { Clock, Console, Effect, Option, Schema } from "effect"
import * as FastClock from "../FastClock.ts"
import * as ScratchPostgres from "../ScratchPostgres.ts"
import * as MoneyAudit from "./MoneyAudit.ts"
import * as PurchasesText from "./PurchasesText.ts"
import * as RandomPurchases from "./RandomPurchases.ts"

/** Books disagree, or an invariant is broken. */
class PurchasesFailed extends Schema.TaggedError<PurchasesFailed>()("PurchasesFailed", {
  message: Schema.String
}) {}

export interface PurchasesFlags {
  readonly purchases: number
  readonly faults: number
  readonly failFirst: Option.Option<number>
  readonly providers: number
  readonly seed: number
  readonly concurrency: number
  readonly crashes: number
  readonly speed: number
}

export const runPurchases = Effect.fn("runPurchases")(function* (flags: PurchasesFlags) {
  const { concurrency, crashes, faults, providers, purchases, seed, speed } = flags
  const startedMs = yield* Clock.currentTimeMillis
  const sinceStart = Effect.map(Clock.currentTimeMillis, (nowMs) => Math.round((nowMs - startedMs) / 1_000))
  const database = yield* ScratchPostgres.start
  yield* Migrations.run.pipe(Effect.provide(Sql.layerUrl(database)))
  const clock = yield* FastClock.make(speed)
  const failFirst = Option.getOrNull(flags.failFirst)
  const { broken, report } = yield* Effect.gen(function* () {
    const report = yield* RandomPurchases.run({
      database,
      providers: providers > 1 ? ["sandbox", "sandbox-b"] : ["sandbox"],
      purchases,
      faultRate: faults,
      failFirst,
      seed,
      concurrency,
      crashes: failFirst === null ? crashes : 0,
      progress: (done) => Console.log(`${done} of ${purchases} purchases`)
    })
    const breaches = yield* MoneyAudit.breaches(report.world)
    return { report, broken: [...report.wrong, ...breaches] }
  }).pipe(Effect.provideService(Clock.Clock, clock))
  for (const line of PurchasesText.lines(report)) yield* Console.log(line)
  yield* Console.log(`${purchases} purchases with seed ${seed}, ${yield* sinceStart} s`)
  if (broken.length > 0) {
    for (const what of broken.slice(0, 50)) yield* Console.log(`WRONG ${what}`)
    return yield* new PurchasesFailed({ message: `${broken.length} things are wrong` })
  }
  yield* Console.log(
    "no order was charged twice, none was charged without tickets or refund, and all books agree"
  )
}, Effect.scoped)
