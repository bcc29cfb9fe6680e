/**
 * Asks the inventory of holds whose warning is due, when it is: one that was bought or released is told nothing of,
 * one that was extended later. It asks again when a hold that was warned of ought to have ended, as it may have been
 * extended since, and while it is paid for, as the payment may be declined. It runs where the inventory can be asked,
 * beside the routes; what follows is a notice.
 */
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import * as JobWorker from "@onsale/platform/JobWorker"
import type * as Jobs from "@onsale/platform/Jobs"
import { Clock, Duration, Effect, Layer } from "effect"
import { type HoldExpiry, NoticeJobs } from "../NoticeJobs.ts"
import { noticeId } from "@onsale/contracts/notifications/Notice"
import { dueIn } from "./HoldExpiry.ts"
import { PushSubscriptions } from "./PushSubscriptions.ts"

/** Each is a question to the inventory, which has more to do. */
const concurrency = 4

/** How often is asked of one that is paid for, which takes minutes at most: some time of the warning is left after it. */
const whilePaying = Duration.seconds(10)

/** The id of the next question: the same where this one is repeated. */
const nextWhilePaying = (id: string): string => {
  const [, before = id, count = "0"] = /^(.*):paying:(\d+)$/.exec(id) ?? []
  return `${before}:paying:${Number(count) + 1}`
}

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
        const nowMs = yield* Clock.currentTimeMillis
        if ("_tag" in hold || (hold.orderId === null && hold.expiresAtMs <= nowMs)) {
          return yield* subscriptions.ended(holdId)
        }
        const again = (id: string, delay: Duration.Input) => holdExpiries.offer(id, job.payload, { delay })
        // Its buyer pays at this moment: what becomes of that is told by the order.
        if (hold.orderId !== null) return yield* again(nextWhilePaying(job.id), whilePaying)
        const { expiresAtMs } = hold
        yield* subscriptions.moved(holdId, expiresAtMs)
        const delay = yield* dueIn(expiresAtMs)
        // One a moment at which it expires: what is extended is asked of again.
        if (Duration.isGreaterThan(delay, early)) return yield* again(`${holdId}:${expiresAtMs}`, delay)
        const notice = { _tag: "HoldExpiring", eventId, holdId, expiresAtMs } as const
        yield* notices.offer(noticeId(notice), notice, { correlation: job.correlation })
        yield* again(
          `${holdId}:${expiresAtMs}:ended`,
          Duration.sum(Duration.millis(expiresAtMs - nowMs), early)
        )
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
