/** What the mails of a sale cost the database: a statement for a batch of them, wherever that loses nothing. */
import { assert, describe, it } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { SmtpFixture } from "@onsale/testing/SmtpFixture"
import { Effect, Layer } from "effect"
import { Statement } from "effect/sql"
import * as NotificationRunner from "../src/NotificationRunner.ts"
import { channels, patience, place, publish, untilSettled, withoutRunner } from "./NoticeWorld.ts"

/** As many as a notice worker plans at a time. */
const orders = 16

describe("the mails of a sale", () => {
  it.live(
    "cost one statement each, which puts on record that it was sent; all else is read and written together",
    () => {
      const statements: Array<string> = []
      let counting = false
      const count: Statement.Transformer = (statement) => {
        const [text] = statement.compile()
        if (counting) statements.push(text)
        return Effect.succeed(statement)
      }
      const times = (part: RegExp) => statements.filter((text) => part.test(text)).length
      return Effect.gen(function* () {
        const smtp = yield* SmtpFixture
        yield* publish()
        for (let i = 0; i < orders; i++) {
          const { confirm } = yield* place(2, { email: `buyer-${i}@example.org` })
          yield* confirm
        }
        counting = true
        yield* Effect.scoped(
          Effect.gen(function* () {
            // Long enough that a slow machine gathers them, too.
            yield* Layer.build(
              NotificationRunner.layer({ gatherFor: "2 seconds" }).pipe(Layer.provide(channels))
            )
            const mails = Effect.sync(() => smtp.received.length)
            yield* pollUntil(mails, (length) => length >= orders, patience)
            yield* untilSettled
          })
        )
        counting = false
        assert.strictEqual(smtp.received.length, orders)
        assert.strictEqual(times(/INSERT INTO notifications.attempts/), orders)
        assert.strictEqual(times(/INSERT INTO notifications.messages/), 1)
        // Once for the notices, and once for each batch of mails, which are eight or those that were given up their places.
        for (const read of [
          /FROM notifications.messages/,
          /FROM notifications.orders o LEFT JOIN/,
          /FROM notifications.preferences/,
          /FROM "booking"."journal"\s+WHERE stream = ANY/,
          /FROM "catalog"."journal"\s+JOIN unnest/
        ]) {
          assert.isAtLeast(times(read), 1, read.source)
          assert.isAtMost(times(read), orders / 2, read.source)
        }
        assert.strictEqual(
          times(/FROM notifications.events WHERE|JOIN notifications.events e ON e.event_id = asked/),
          2
        )
        // What is done is settled with the next lease.
        assert.isAtMost(times(/SET done_at/), 2 * orders)
        assert.strictEqual(times(/SET done_at/), times(/attempts = attempts \+ 1,\s+leased_until/))
      }).pipe(Effect.provide(withoutRunner), Effect.provideService(Statement.CurrentTransformer, count))
    }
  )
})
