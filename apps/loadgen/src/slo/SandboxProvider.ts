/** The payment provider of a level, as the process of its own that a provider is. */
import { Effect, FileSystem, Option, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import { ServiceFailed } from "../ServiceProcess.ts"

const main = fileURLToPath(new URL("../../../psp-sandbox/src/main.ts", import.meta.url))
const Ready = Schema.fromJsonString(Schema.Struct({ listening: Schema.String }))

export const secret = "slo-provider-secret-of-this-machine"
export const webhookSecret = "slo-webhook-secret-of-this-machine"

/** Its address, process and ledger. It tells what happens later to the gateway at `gatewayPort`. */
export const start = Effect.fn("SandboxProvider.start")(function* (gatewayPort: number) {
  const fs = yield* FileSystem.FileSystem
  const ledger = `${yield* fs.makeTempDirectoryScoped({ prefix: "onsale-slo-provider-" })}/ledger.jsonl`
  const handle = yield* ChildProcess.make(process.execPath, [main], {
    extendEnv: true,
    env: {
      PSP_PORT: "0",
      PSP_LEDGER: ledger,
      PSP_SECRET: secret,
      PSP_WEBHOOK_URL: `http://127.0.0.1:${gatewayPort}/api/v1/webhooks/sandbox`,
      PSP_WEBHOOK_SECRET: webhookSecret,
      PSP_WEBHOOK_CHANGES: "asynchronous",
      PSP_EXIT_WITH_PARENT: "true"
    },
    stdin: { stream: Stream.never },
    stderr: "inherit",
    forceKillAfter: "5 seconds"
  })
  const first = yield* handle.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runHead,
    Effect.timeout("60 seconds")
  )
  const { listening } = yield* Option.match(first, {
    onNone: () => Effect.fail(new ServiceFailed({ message: "the payment provider did not start" })),
    onSome: (line) => Schema.decodeUnknownEffect(Ready)(line)
  })
  return { url: listening, ledger, pid: Number(handle.pid) }
})
