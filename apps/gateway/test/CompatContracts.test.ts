import { assert, describe, it } from "@effect/vitest"
import { Api } from "@onsale/contracts/http/Api"
import { ConfigProvider, Effect } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { OpenApi } from "effect/http-api"
import * as CompatContracts from "../src/compat/CompatContracts.ts"

const configured = (env: Readonly<Record<string, string>>, withSandbox: boolean) =>
  CompatContracts.configured(withSandbox).pipe(
    Effect.map((contracts) => [...contracts].join("")),
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env))
  )

const real = [{ ONSALE_STRIPE_SECRET_KEY: "sk_live_x" }, { ONSALE_MOLLIE_API_KEY: "live_x" }]
const methods = { ONSALE_COMPAT_PAYMENT_METHODS: '{"*":"pm_card"}' }

describe("The older contracts", () => {
  it.effect("are on with the sandbox where it is said so, and off elsewhere", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* configured({}, true), "abc")
      assert.strictEqual(yield* configured({}, false), "")
      for (const env of real) {
        assert.strictEqual(yield* configured(env, true), "")
        assert.strictEqual(yield* configured({ ...env, ...methods }, true), "")
      }
    })
  )

  it.effect("are those that the configuration names", () =>
    Effect.gen(function* () {
      for (const [said, contracts] of [
        ["on", "abc"],
        ["off", ""],
        ["c", "c"],
        ["B, c", "bc"]
      ] as const) {
        assert.strictEqual(yield* configured({ ONSALE_COMPAT: said }, true), contracts)
        assert.strictEqual(yield* configured({ ONSALE_COMPAT: said }, false), contracts)
      }
      for (const said of ["true", "d", "a,,b"]) {
        assert.strictEqual(
          (yield* Effect.flip(configured({ ONSALE_COMPAT: said }, true)))._tag,
          "ConfigError"
        )
      }
    })
  )

  it.effect("are not served with real money before it is said what is charged", () =>
    Effect.gen(function* () {
      for (const env of real) {
        for (const said of ["on", "a", "c"]) {
          const error = yield* Effect.flip(configured({ ...env, ONSALE_COMPAT: said }, true))
          assert.strictEqual(error._tag, "CompatNotPayable")
          assert.match(error.message, /ONSALE_COMPAT_PAYMENT_METHODS/)
        }
        assert.strictEqual(yield* configured({ ...env, ...methods, ONSALE_COMPAT: "on" }, false), "abc")
        assert.strictEqual(yield* configured({ ...env, ONSALE_COMPAT: "off" }, true), "")
      }
    })
  )

  it("are described as far as they are served", () => {
    const described = (said: string) =>
      Object.keys(OpenApi.fromApi(CompatContracts.describe(Api, CompatContracts.contractsOf(said)!)).paths)
    const all = described("on")
    assert.lengthOf(
      all.filter((path) => path.startsWith("/compat/")),
      6
    )
    assert.deepStrictEqual(
      described("off"),
      all.filter((path) => !path.startsWith("/compat/"))
    )
    assert.deepStrictEqual(
      described("a,c").filter((path) => path.startsWith("/compat/")),
      ["/compat/api/v1/seats/lock", "/compat/api/bookings"]
    )
  })

  it.effect("that are off answer as a path that there is not", () =>
    Effect.gen(function* () {
      const gate = CompatContracts.gate(CompatContracts.contractsOf("b")!)
      const request = HttpServerRequest.fromWeb(
        new Request("http://localhost/compat/api/bookings", { method: "POST" })
      )
      const refused = yield* gate("book", request, Effect.die("asked for"))
      assert.strictEqual(refused.status, 404)
      assert.strictEqual(refused.headers["content-type"], "application/problem+json")
      const served = yield* gate(
        "reserveTicket",
        request,
        Effect.succeed(HttpServerResponse.empty({ status: 200 }))
      )
      assert.strictEqual(served.status, 200)
    })
  )
})
