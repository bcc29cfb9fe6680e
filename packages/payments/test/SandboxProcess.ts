/** The sandbox provider as a process of its own, and the webhooks it would sign. */
import { NodeServices } from "@effect/platform-node"
import type { SandboxWebhook } from "@onsale/contracts/payments/Sandbox"
import { Context, Effect, FileSystem, Layer, Option, Redacted, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { createHmac } from "node:crypto"

const main = new URL("../../../apps/psp-sandbox/src/main.ts", import.meta.url).pathname

const decodeReady = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Struct({ listening: Schema.String }))
)

export interface SandboxProcessOptions {
  readonly secret: Redacted.Redacted
  readonly webhookUrl: string
  readonly webhookSecret: Redacted.Redacted
}

export class SandboxProcess extends Context.Service<SandboxProcess, { readonly url: string }>()(
  "test/SandboxProcess"
) {
  /** Started on a free port with a ledger of its own, and stopped with the scope. */
  static readonly layer = (options: SandboxProcessOptions) =>
    Layer.effect(
      SandboxProcess,
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
        const handle = yield* spawner.spawn(
          ChildProcess.make(process.execPath, [main], {
            env: {
              PSP_LEDGER: `${yield* fs.makeTempDirectoryScoped()}/ledger.jsonl`,
              PSP_SECRET: Redacted.value(options.secret),
              PSP_HOLD: "3 seconds",
              PSP_EXIT_WITH_PARENT: "true",
              PSP_WEBHOOK_URL: options.webhookUrl,
              PSP_WEBHOOK_SECRET: Redacted.value(options.webhookSecret),
              PSP_WEBHOOK_CHANGES: "asynchronous"
            },
            extendEnv: true,
            stderr: "inherit"
          })
        )
        const line = yield* handle.stdout.pipe(Stream.decodeText, Stream.splitLines, Stream.runHead)
        return SandboxProcess.of({ url: (yield* decodeReady(Option.getOrThrow(line))).listening })
      })
    ).pipe(Layer.provide(NodeServices.layer))
}

/** The body and the headers of a webhook that is signed at `seconds` (Unix time). */
export const signed = (webhook: SandboxWebhook, secret: Redacted.Redacted, seconds: number) => {
  const text = JSON.stringify(webhook)
  return { body: new TextEncoder().encode(text), headers: signatureOf(text, secret, seconds) }
}

/** As in the sandbox's documentation, by other means than ours. */
export const signatureOf = (text: string, secret: Redacted.Redacted, seconds: number) => {
  const hex = createHmac("sha256", Redacted.value(secret)).update(`${seconds}.${text}`).digest("hex")
  return { "sandbox-signature": `t=${seconds},v1=${hex}` }
}
