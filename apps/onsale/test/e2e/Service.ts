/** The service as these tests start it, and what an operator asks of it. */
import { NodeServices } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import * as OnsaleProcess from "@onsale/testing/OnsaleProcess"
import { Effect } from "effect"
import * as OnsaleCommand from "../OnsaleCommand.ts"

export const organiserKey = "organiser-key-of-the-tests"

export type Service = OnsaleProcess.OnsaleProcess
type Env = NonNullable<OnsaleProcess.OnsaleProcessOptions["env"]>

/** Without a data directory it gets one of its own, which goes with the scope. */
export const start = (options: { readonly dataDir?: string; readonly env?: Env } = {}) =>
  OnsaleProcess.start({ ...options, env: { ONSALE_ORGANISER_KEY: organiserKey, ...options.env } })

/** Runs a command of `onsale` on the service's data, to its end. */
export const run = ({ dataDir }: Service, args: ReadonlyArray<string>, env: Env = {}) =>
  OnsaleCommand.run(args, { PORT: "0", ...env, ONSALE_DATA_DIR: dataDir }).pipe(
    Effect.provide(NodeServices.layer)
  )

/** Every invariant holds, in the tables and in the provider's ledger. */
export const assertAudited = (service: Service, env?: Env) =>
  Effect.map(run(service, ["audit"], env), ({ code, stderr, stdout }) =>
    assert.strictEqual(code, 0, stdout + stderr)
  )

/** Nothing that a client has sent is an error of ours. */
export const assertNothingBroke = ({ errors }: Service) =>
  Effect.map(errors, (lines) => assert.deepStrictEqual(lines, []))

/** What a service that was asked to stop ends with: nothing wrong, or the signal by the shells' custom. */
export const cleanExits: ReadonlyArray<number> = [0, 130, 143]
