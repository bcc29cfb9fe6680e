/** Whether a runner is alive, as those who watch it ask: itself, and where it does not answer Kubernetes. */
import { NodeClusterSocket } from "@effect/platform-node"
import { Config, Effect, Layer, Schedule, Schema } from "effect"
import { K8sHttpClient, type RunnerAddress, RunnerHealth, Runners } from "effect/cluster"
import { HttpClientRequest, HttpClientResponse } from "effect/http"

const pingLimit = "1 second"
const askLimit = "2 seconds"

/** Asks twice: one that collects garbage or parses the layout of a large hall is not dead. */
const answers = Effect.map(
  Runners.Runners,
  (runners) => (address: RunnerAddress.RunnerAddress) =>
    runners
      .ping(address)
      .pipe(
        Effect.timeout(pingLimit),
        Effect.retry({ times: 1, schedule: Schedule.spaced("250 millis") }),
        Effect.isSuccess
      )
)

/** Dead is who does not answer twice within a second each. */
export const layerPing: Layer.Layer<RunnerHealth.RunnerHealth, never, Runners.Runners> = Layer.effect(
  RunnerHealth.RunnerHealth,
  Effect.map(answers, (isAlive) => RunnerHealth.RunnerHealth.of({ isAlive }))
)

const Pods = Schema.Struct({
  items: Schema.Array(
    Schema.Struct({
      status: Schema.Struct({
        conditions: Schema.optionalKey(
          Schema.Array(Schema.Struct({ type: Schema.String, status: Schema.String }))
        )
      })
    })
  )
})

/**
 * Dead is who does not answer and is not ready for Kubernetes either, so that nobody is evicted because the way between
 * two pods is broken. Kubernetes is asked about that one pod, anew each time: the library's list of pods is up to ten
 * seconds old, which takes a pod that has just come for dead. Where Kubernetes cannot be asked, nobody is dead: the
 * locks of one that is expire.
 */
export const layerPingThenKubernetes = (options: {
  readonly namespace: string
}): Layer.Layer<RunnerHealth.RunnerHealth, never, Runners.Runners | K8sHttpClient.K8sHttpClient> =>
  Layer.effect(
    RunnerHealth.RunnerHealth,
    Effect.gen(function* () {
      const isAnswering = yield* answers
      const client = yield* K8sHttpClient.K8sHttpClient
      const isReady = Effect.fn("RunnerHealth.isReady")(function* (podIp: string) {
        const request = HttpClientRequest.get(
          `/v1/namespaces/${encodeURIComponent(options.namespace)}/pods`
        ).pipe(HttpClientRequest.setUrlParam("fieldSelector", `status.podIP=${podIp}`))
        const { items } = yield* Effect.flatMap(
          client.execute(request),
          HttpClientResponse.schemaBodyJson(Pods)
        )
        return items.some(
          ({ status }) =>
            status.conditions?.some(({ status, type }) => type === "Ready" && status === "True") ?? false
        )
      })
      return RunnerHealth.RunnerHealth.of({
        isAlive: (address) =>
          Effect.flatMap(isAnswering(address), (alive) =>
            alive
              ? Effect.succeed(true)
              : isReady(address.host).pipe(
                  Effect.timeout(askLimit),
                  Effect.tapCause((cause) =>
                    Effect.logWarning("Kubernetes could not be asked about a runner", cause)
                  ),
                  Effect.orElseSucceed(() => true)
                )
          )
      })
    })
  )

const namespace = Config.NonEmptyString("ONSALE_CLUSTER_NAMESPACE")

/** `ONSALE_CLUSTER_NAMESPACE`: of the pods. */
export const layerKubernetes = Layer.unwrap(
  Effect.map(namespace, (name) => layerPingThenKubernetes({ namespace: name }))
).pipe(Layer.provide(NodeClusterSocket.layerK8sHttpClient))
