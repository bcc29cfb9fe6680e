/** Whether somebody who was given a ticket has got it: a letter with a code of it was sent to them. */
import { type OrderId, TicketId } from "@onsale/contracts/Ids"
import { Notice, noticeId } from "@onsale/contracts/notifications/Notice"
import { Effect, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { settled } from "./SettledSql.ts"

/** The letter is with a channel at the moment, so nobody knows yet whether it was sent. That passes by itself. */
export class GiftLetterUnderWay extends Schema.TaggedError<GiftLetterUnderWay>()("GiftLetterUnderWay", {
  ticketId: TicketId
}) {
  override get message(): string {
    return `the letter with ticket ${this.ticketId} is under way, what is said of the ticket next waits for it`
  }
}

/**
 * - `sent`: or perhaps, where no answer came
 * - `dead`: given up; support may send it once more
 * - `none`: there was nothing to send any more before it was its turn
 */
export type GiftLetterFate = "sent" | "dead" | "none"

const patience = { schedule: Schedule.spaced("100 millis"), times: 5 }

/** Codes of one holder that are looked at, the newest ones: more were not made by people. */
const maxCodes = 20

const Fates = Schema.Array(
  Schema.Struct({ sent: Schema.Boolean, open: Schema.Boolean, dead: Schema.Boolean })
)
const decode = Schema.decodeUnknownEffect(Fates)

export const make = Effect.map(SqlClient.SqlClient, (sql) => ({
  /** Of the letters with the codes of these versions, to whoever had them all. */
  fateOf: Effect.fn("GiftLetters.fateOf")(
    function* (orderId: OrderId, ticketId: TicketId, first: number, last: number) {
      const ids = Array.from({ length: Math.min(maxCodes, last - first + 1) }, (_, i) =>
        noticeId(Notice.cases.TicketReissued.make({ orderId, ticketId, codeVersion: last - i }))
      ).flatMap((id) => [`${id}:email`, `${id}:sms`])
      const fates = yield* sql`SELECT j.failed_at IS NOT NULL AS dead,
          m.sent_at IS NOT NULL OR EXISTS (SELECT 1 FROM notifications.attempts a
            WHERE a.message_id = m.id AND a.outcome = 'unknown') AS sent,
          m.skipped IS NULL AND j.done_at IS NULL AND j.failed_at IS NULL AND j.id IS NOT NULL AS open
        FROM notifications.messages m
        LEFT JOIN notifications.jobs j ON j.queue = m.channel AND j.id = m.id
        WHERE m.id = ANY(${ids}::text[])`.pipe(Effect.flatMap(decode), settled)
      if (fates.some(({ sent }) => sent)) return "sent" as const
      if (fates.some(({ open }) => open)) return yield* new GiftLetterUnderWay({ ticketId })
      return fates.some(({ dead }) => dead) ? ("dead" as const) : ("none" as const)
    },
    // A letter of a code that was replaced is not sent when its turn comes: it is soon known.
    Effect.retry(patience)
  )
}))
