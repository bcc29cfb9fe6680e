import { NodeHttpClient } from "@effect/platform-node"
import { paymentShardGroup } from "@onsale/contracts/payments/PaymentEntity"
import { Payments } from "@onsale/payments/Payments"
import { Layer } from "effect"
import * as Runner from "./Runner.ts"

Runner.run({
  name: "payment",
  shardGroup: paymentShardGroup,
  layer: Payments.layer.pipe(Layer.provide(NodeHttpClient.layerUndici))
})
