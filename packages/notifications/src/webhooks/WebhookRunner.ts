/** What works in the background for webhooks: makes deliveries of what happens, and sends them. */
import { Layer } from "effect"
import * as WebhookFanOut from "./WebhookFanOut.ts"
import { WebhookSender } from "./WebhookSender.ts"
import { WebhookVault } from "./WebhookVault.ts"
import * as WebhookWorker from "./WebhookWorker.ts"

/** Over `WebhookDeliveries` and the database. Any number of processes may run it. */
export const layer = (options: Partial<WebhookWorker.WebhookWorkerOptions> = {}) =>
  Layer.merge(WebhookFanOut.layer, WebhookWorker.layer(options)).pipe(
    Layer.provide([WebhookSender.layer, WebhookVault.layer])
  )
