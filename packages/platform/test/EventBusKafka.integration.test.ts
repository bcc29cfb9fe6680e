import { describe } from "@effect/vitest"
import { EventBus } from "@onsale/platform/EventBus"
import * as EventBusKafka from "@onsale/platform/EventBusKafka"
import { Broker, suite } from "@onsale/testing/EventBusSuite"
import { hasKafka, suiteName, TestKafka } from "@onsale/testing/KafkaFixture"
import { Context, Effect, Layer } from "effect"
import { startVictim } from "./EventBusVictim.ts"

const broker = Layer.effect(
  Broker,
  Effect.gen(function* () {
    const kafka = yield* TestKafka
    return Broker.of({
      connect: () =>
        Effect.map(Layer.build(EventBusKafka.layer({ brokers: [kafka.broker] })), Context.get(EventBus)),
      victim: (topic, group) =>
        startVictim(topic, group, { ONSALE_EVENT_BUS: "kafka", ONSALE_KAFKA_BROKERS: kafka.broker }),
      kill: kafka.kill,
      start: kafka.start
    })
  })
).pipe(Layer.provide(TestKafka.layer))

describe.runIf(hasKafka)(suiteName("Event bus on Kafka"), () => {
  suite("Event bus on Kafka", broker, { broker: true, holdsBack: false })
})
