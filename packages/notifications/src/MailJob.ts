/** The mails that are to be sent, as durable jobs in `notifications.jobs`. */
import { OrderId } from "@onsale/contracts/Ids"
import * as Jobs from "@onsale/platform/Jobs"
import { Context, Layer, Schema } from "effect"

export const MailJob = Schema.TaggedUnion({
  /** Tell the customer that the order is confirmed, with the tickets. */
  OrderConfirmed: { orderId: OrderId }
})
export type MailJob = typeof MailJob.Type

/** One id a fact, so that the same fact never makes two mails. */
export const jobId = (job: MailJob): string => {
  switch (job._tag) {
    case "OrderConfirmed":
      return `${job.orderId}:confirmed`
  }
}

export class MailJobs extends Context.Service<MailJobs, Jobs.JobQueue<MailJob>>()(
  "@onsale/notifications/MailJobs"
) {
  static readonly layer = Layer.effect(
    MailJobs,
    Jobs.make({ schema: "notifications", queue: "mail", payload: MailJob })
  )
}
