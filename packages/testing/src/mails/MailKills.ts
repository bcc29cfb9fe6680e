/**
 * Purchases while the processes that send their mails are killed at random: what each buyer has got in the end, by the
 * mail server's own record.
 */
import type { OrderId } from "@onsale/contracts/Ids"
import { Clock, Effect, type Redacted, Schema, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { pollUntil } from "../Poll.ts"
import { Dice } from "../simulation/World.ts"
import * as Smtp from "../SmtpFixture.ts"
import * as MailRunner from "./MailRunner.ts"
import * as MailSale from "./MailSale.ts"

export interface MailKillsOptions {
  readonly database: Redacted.Redacted<string>
  readonly purchases: number
  readonly kills: number
  /** Processes at the same time. */
  readonly runners: number
  readonly seed: number
  readonly progress: (text: string) => Effect.Effect<void>
}

export interface MailKillsReport {
  readonly purchases: number
  readonly kills: number
  readonly mails: number
  /** Mails that came more often than once, and how often they came too often in all. */
  readonly repeated: number
  readonly repeats: number
  /** Those of them whose process was killed before the server had answered. */
  readonly unanswered: number
  /** The most that one crash made. */
  readonly mostOfACrash: number
  readonly seconds: number
  readonly wrong: ReadonlyArray<string>
}

/** Milliseconds of a mail server that is busy: at most this before it says that it has a mail. */
const maxAnswerMs = 30

/** What a killed process was at waits for its lease to run out, half a minute. */
const endLimit = "5 minutes"

/** A process that is killed is gone within this of our note of it: the receipt may be read a little later. */
const skewMs = 250

/** A mail is on record within this of its receipt, or the crash that kept it from that came within it. */
const recordLimitMs = 5_000

const Sent = Schema.Array(Schema.Struct({ reference: Schema.String, sentMs: Schema.Finite }))

export const run = Effect.fn("MailKills.run")(function* (options: MailKillsOptions) {
  const { database, kills, progress, purchases, runners, seed } = options
  const dice = new Dice(seed)
  const sql = yield* SqlClient.SqlClient
  const scope = yield* Effect.scope
  const startedMs = yield* Clock.currentTimeMillis
  const smtp = yield* Smtp.make({ keepsRaw: false, answerAfterMs: () => dice.between(0, maxAnswerMs) })
  const start = MailRunner.start({ database, smtpUrls: [smtp.url] }).pipe(Scope.provide(scope))
  const alive = yield* Effect.forEach(Array.from({ length: runners }), () => start, {
    concurrency: "unbounded"
  })
  const sale = yield* MailSale.open

  const killedMs: Array<number> = []
  const killer = Effect.gen(function* () {
    for (let k = 1; k <= kills; k++) {
      // Spread over the whole of it, each at a random moment.
      const due = Math.floor(((k - 1 + dice.next()) / kills) * purchases)
      yield* pollUntil(
        Effect.sync(() => smtp.received.length),
        (count) => count >= Math.min(due, purchases - 1),
        { deadline: "30 minutes", every: "5 millis" }
      )
      const index = dice.between(0, alive.length - 1)
      yield* Effect.sleep(dice.between(0, 50))
      killedMs.push(yield* Clock.currentTimeMillis)
      yield* alive[index]?.kill9 ?? Effect.void
      alive[index] = yield* start
      yield* progress(`${k} of ${kills} killed, ${smtp.received.length} of ${purchases} mails`)
    }
  })
  const [orders] = yield* Effect.all([sale.sell(purchases), killer], { concurrency: "unbounded" })

  const open = sql<{
    readonly n: number
  }>`SELECT count(*)::int AS n FROM notifications.messages WHERE sent_at IS NOT NULL`
  yield* pollUntil(open, ([row]) => (row?.n ?? 0) >= purchases, {
    deadline: endLimit,
    every: "500 millis"
  }).pipe(
    // What is missing then is told by its order.
    Effect.catchTag("PollTimeout", () => Effect.void)
  )
  const sent = yield* sql`SELECT reference, (extract(epoch FROM sent_at) * 1000)::float8 AS "sentMs"
    FROM notifications.messages WHERE sent_at IS NOT NULL`.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Sent))
  )
  const seconds = ((yield* Clock.currentTimeMillis) - startedMs) / 1_000
  return { ...judge(orders, smtp.received, killedMs, sent), kills: killedMs.length, seconds }
})

/** Compares what the server has with what was bought, with our record, and with the crashes. */
export const judge = (
  orders: ReadonlyArray<OrderId>,
  received: ReadonlyArray<Smtp.Received>,
  killedMs: ReadonlyArray<number>,
  sent: typeof Sent.Type
): Omit<MailKillsReport, "kills" | "seconds"> => {
  const wrong: Array<string> = []
  const byId = Map.groupBy(received, ({ messageId }) => messageId.replace(/[<>]/g, ""))
  const recordedMs = new Map(sent.map(({ reference, sentMs }) => [reference, sentMs]))
  const ofCrash = new Map<number, number>()
  let repeated = 0
  let repeats = 0
  let unanswered = 0
  for (const orderId of orders) {
    const id = `${orderId}.confirmed@onsale.example`
    const receipts = byId.get(id) ?? []
    byId.delete(id)
    if (receipts.length === 0) wrong.push(`order ${orderId} has got no mail`)
    if (!recordedMs.has(id)) wrong.push(`the mail of order ${orderId} is not on record`)
    if (receipts.length < 2) continue
    repeated++
    repeats += receipts.length - 1
    for (const [i, { answeredMs, atMs }] of receipts.slice(0, -1).entries()) {
      const nextMs = receipts[i + 1]?.atMs ?? 0
      const crash = killedMs.find((ms) => ms > atMs - skewMs && ms < nextMs && ms < atMs + recordLimitMs)
      if (crash === undefined)
        wrong.push(`order ${orderId} has got its mail again, and no process was killed`)
      else if (answeredMs === null || answeredMs > crash) unanswered++
      if (crash !== undefined) ofCrash.set(crash, (ofCrash.get(crash) ?? 0) + 1)
      if ((recordedMs.get(id) ?? 0) < nextMs - skewMs)
        wrong.push(`order ${orderId} has got its mail again after it was on record`)
    }
  }
  for (const id of byId.keys()) wrong.push(`nobody has bought what ${id} is for`)
  return {
    purchases: orders.length,
    mails: received.length,
    repeated,
    repeats,
    unanswered,
    mostOfACrash: Math.max(0, ...ofCrash.values()),
    wrong
  }
}
