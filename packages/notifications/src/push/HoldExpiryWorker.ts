/**
 * Asks the inventory of holds whose warning is due, when it is: one that was bought or released is told nothing of,
 * one that was extended later. It runs where the inventory can be asked, beside the routes; what follows is a notice.
 */
import type { HoldId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import * as JobWorker from "@onsale/platform/JobWorker"
import type * as Jobs from "@onsale/platform/Jobs"
import { Duration, Effect, Layer } from "effect"
import { type HoldExpiry, NoticeJobs } from "../NoticeJobs.ts"
import { noticeId } from "@onsale/contracts/notifications/Notice"
import { dueIn } from "./HoldExpiry.ts"
import { PushSubscriptions } from "./PushSubscriptions.ts"

/** Each is a question to the inventory, which has more to do. */
const concurrency = 4

/** The clock of the database and ours may differ by so much. */
const early = Duration.seconds(2)

export const layer = (options: { readonly pollEvery?: Duration.Input } = {}) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const inventory = yield* InventoryClient
      const subscriptions = yield* PushSubscriptions
      const { holdExpiries, notices } = yield* NoticeJobs

      const handle = Effect.fn("HoldExpiryWorker.handle")(function* (job: Jobs.Job<HoldExpiry>) {
        const { eventId, holdId } = job.payload
        const hold = yield* inventory.hold(eventId, holdId)
        if ("_tag" in hold) return yield* subscriptions.ended(holdId)
        // Its buyer pays at this moment: what becomes of that is told by the order.
        if (hold.orderId !== null) return
        yield* subscriptions.moved(holdId, hold.expiresAtMs)
        const delay = yield* dueIn(hold.expiresAtMs)
        if (Duration.isGreaterThan(delay, early)) {
          return yield* holdExpiries.offer(later(holdId, hold.expiresAtMs), job.payload, { delay })
        }
        const notice = { _tag: "HoldExpiring", eventId, holdId } as const
        yield* notices.offer(noticeId(notice), notice, { correlation: job.correlation })
      })

      return JobWorker.worker({
        queue: holdExpiries,
        handle,
        isFinal: () => false,
        concurrency,
        // A minute, as the hold has.
        maxAttempts: 8,
        backoff: "500 millis",
        maxBackoff: "10 seconds",
        ...options
      })
    })
  )

/** One a moment at which it expires: what is extended is asked of again. */
const later = (holdId: HoldId, expiresAtMs: number) => `${holdId}:${expiresAtMs}`
