import { NodeHttpClient } from "@effect/platform-node"
import { paymentShardGroup } from "@onsale/contracts/payments/PaymentEntity"
import * as PaymentRelay from "@onsale/payments/PaymentRelay"
import { Payments } from "@onsale/payments/Payments"
import * as ConfiguredEventBus from "@onsale/platform/ConfiguredEventBus"
import { Layer } from "effect"
import * as Runner from "./Runner.ts"

Runner.run({
  name: "payment",
  shardGroup: paymentShardGroup,
  layer: Layer.merge(
    Payments.layer.pipe(Layer.provide(NodeHttpClient.layerUndici)),
    PaymentRelay.layer.pipe(Layer.provide(ConfiguredEventBus.layer))
  )
})
