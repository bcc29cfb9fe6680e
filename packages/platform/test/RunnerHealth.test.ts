import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { K8sHttpClient, RunnerAddress, RunnerHealth, Runners } from "effect/cluster"
import { HttpClient, HttpClientError, HttpClientRequest, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as OurRunnerHealth from "../src/RunnerHealth.ts"

const address = RunnerAddress.RunnerAddress.make({ host: "10.1.2.3", port: 34_431 })

const isAlive = Effect.fnUntraced(function* (options: {
  readonly answers: boolean
  /** What Kubernetes says of the pod; undefined where it knows none, null where it cannot be asked. */
  readonly ready?: boolean | null
}) {
  const asked: Array<string> = []
  const kubernetes = Layer.succeed(
    K8sHttpClient.K8sHttpClient,
    HttpClient.make((request, url) => {
      asked.push(url.search)
      return options.ready === null
        ? Effect.fail(
            new HttpClientError.HttpClientError({
              reason: new HttpClientError.TransportError({ request })
            })
          )
        : Effect.succeed(
            HttpClientResponse.fromWeb(
              request,
              Response.json({
                items:
                  options.ready === undefined
                    ? []
                    : [
                        {
                          status: {
                            conditions: [{ type: "Ready", status: options.ready ? "True" : "False" }]
                          }
                        }
                      ]
              })
            )
          )
    }).pipe(HttpClient.mapRequest(HttpClientRequest.prependUrl("https://kubernetes")))
  )
  const runners = Layer.mock(Runners.Runners, {
    ping: () => (options.answers ? Effect.void : Effect.never)
  })
  const fiber = yield* Effect.forkChild(
    Effect.flatMap(RunnerHealth.RunnerHealth, (health) => health.isAlive(address)).pipe(
      Effect.provide(
        OurRunnerHealth.layerPingThenKubernetes({ namespace: "onsale" }).pipe(
          Layer.provide([runners, kubernetes])
        )
      )
    )
  )
  yield* TestClock.adjust("3 seconds")
  return { alive: yield* Fiber.join(fiber), asked }
})

describe("a runner", () => {
  it.effect("that answers is alive, and Kubernetes is not asked", () =>
    Effect.gen(function* () {
      const { alive, asked } = yield* isAlive({ answers: true })
      assert.isTrue(alive)
      assert.isEmpty(asked)
    })
  )

  it.effect("that does not answer is dead where Kubernetes has it not ready, or does not know it", () =>
    Effect.gen(function* () {
      const { alive, asked } = yield* isAlive({ answers: false, ready: false })
      assert.isFalse(alive)
      assert.deepEqual(asked, ["?fieldSelector=status.podIP%3D10.1.2.3"])
      assert.isFalse((yield* isAlive({ answers: false })).alive)
    })
  )

  it.effect("that does not answer is alive where it is ready, or nobody can tell", () =>
    Effect.gen(function* () {
      assert.isTrue((yield* isAlive({ answers: false, ready: true })).alive)
      assert.isTrue((yield* isAlive({ answers: false, ready: null })).alive)
    })
  )
})
