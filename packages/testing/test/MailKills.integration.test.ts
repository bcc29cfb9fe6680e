import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { makeUuidV7, OrderId } from "@onsale/contracts/Ids"
import { judge, run } from "@onsale/testing/mails/MailKills"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Layer } from "effect"

const layer = Layer.mergeAll(layerDatabase, NodeHttpClient.layerUndici, NodeServices.layer)

describe("MailKills", () => {
  it.live(
    "every buyer has got the mail once, whenever the processes that send them are killed",
    () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase
        const report = yield* run({
          database: url,
          purchases: 150,
          kills: 3,
          runners: 2,
          seed: 1,
          progress: () => Effect.void
        })
        assert.deepStrictEqual(report.wrong, [])
        assert.strictEqual(report.mails, 150 + report.repeats)
      }).pipe(Effect.provide(layer)),
    300_000
  )

  const orderId = OrderId.make(makeUuidV7(0))
  const id = `${orderId}.confirmed@onsale.example`
  const mail = (atMs: number) => ({ messageId: `<${id}>`, to: "", raw: "", atMs, answeredMs: atMs })

  it("tells what is missing, what came again without a crash, and what came again after it was on record", () => {
    const wrongOf = (
      receivedMs: ReadonlyArray<number>,
      killedMs: ReadonlyArray<number>,
      sentMs: number | null
    ) =>
      judge([orderId], receivedMs.map(mail), killedMs, sentMs === null ? [] : [{ reference: id, sentMs }])
        .wrong.length
    assert.strictEqual(wrongOf([10_000], [], 10_001), 0)
    assert.strictEqual(wrongOf([10_000, 40_000], [10_010], 40_001), 0)
    assert.strictEqual(wrongOf([], [], null), 2)
    assert.strictEqual(wrongOf([10_000], [], null), 1)
    assert.strictEqual(wrongOf([10_000, 40_000], [], 40_001), 1)
    assert.strictEqual(wrongOf([10_000, 40_000], [30_000], 40_001), 1)
    assert.strictEqual(wrongOf([10_000, 40_000], [10_010], 10_002), 1)
    assert.strictEqual(wrongOf([10_000, 40_000, 80_000], [10_010], 80_001), 1)
  })
})
