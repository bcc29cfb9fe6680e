/** What works in the background: follows the journals, and sends the mails that follow from them. */
import { Layer } from "effect"
import { MailJobs } from "./MailJob.ts"
import * as MailWorker from "./MailWorker.ts"
import { NotificationFacts } from "./NotificationFacts.ts"

/** Over `Notifications.layer`, a `Mailer` and the database. Any number of processes may run it. */
export const layer = (options: Partial<MailWorker.MailWorkerOptions> = {}) =>
  Layer.mergeAll(
    NotificationFacts.layerCatalog,
    NotificationFacts.layerBooking,
    MailWorker.layer(options)
  ).pipe(Layer.provideMerge(MailJobs.layer))
